-- Whether the verdict that an event tells of is one that a person gave in the place of a verifier. NULL: of other events, and of those
-- from before.
ALTER TABLE event ADD COLUMN by_hand INTEGER;
