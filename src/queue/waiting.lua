#!lua flags=no-writes
-- Returns the queues, each followed by the number of messages that wait on it.
-- KEYS: owner, waiting
return redis.call('HGETALL', KEYS[2])
