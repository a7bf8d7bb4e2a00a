#!lua flags=no-writes
-- Returns whether messages wait on a queue, and whether what is counted of the queues is to be mended, each as 0 or 1.
-- KEYS: owner, totals, mended
local waiting = redis.pcall('HGET', KEYS[2], 'messages')
local is_odd = type(waiting) == 'table' or redis.call('PTTL', KEYS[3]) <= 0
return { (tonumber(waiting) or 0) > 0 and 1 or 0, is_odd and 1 or 0 }
