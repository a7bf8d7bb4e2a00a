-- Up to which event a notifier was told of what each follows from one event, such as a set that failed; NULL: as far as `event_id`.
ALTER TABLE notifier ADD COLUMN announced_id INTEGER;
