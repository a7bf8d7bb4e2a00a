#!lua
-- Puts a unit on a queue, all of it or nothing.
-- KEYS: stream, totals, waiting, bytes, units, arrivals, owner, key of the sender (may be missing)
-- ARGV: deadline, owner, queue, first id, count, received at, sender, bodies, digest, most bytes, most queues, slot, slots, content, expires at, field of the key
local now = redis.call('TIME')
if now[1] * 1000 + math.floor(now[2] / 1000) > tonumber(ARGV[1]) then return {'late', now[1] * 1000 + math.floor(now[2] / 1000)} end
local owner = redis.call('GET', KEYS[7])
if owner and owner ~= ARGV[2] then return {'foreign'} end
if KEYS[8] then
    local known = redis.call('HMGET', KEYS[8], 'content', 'first', 'count')
    if known[1] then
        if known[1] == ARGV[14] and known[3] == ARGV[5] then return {'repeated', known[2]} end
        return {'taken'}
    end
end
local length = #ARGV[8]
if (tonumber(redis.call('HGET', KEYS[2], 'bytes')) or 0) + length > tonumber(ARGV[10]) then return {'full'} end
if redis.call('HEXISTS', KEYS[3], ARGV[3]) == 0 and redis.call('HLEN', KEYS[3]) >= tonumber(ARGV[11]) then return {'queues'} end
-- The first write is the one that a server without memory refuses: then nothing was written.
local id = redis.call('XADD', KEYS[1], '*', 'first', ARGV[4], 'count', ARGV[5], 'at', ARGV[6], 'sender', ARGV[7], 'bodies', ARGV[8], 'key', ARGV[16], 'digest', ARGV[9])
if not owner then redis.call('SET', KEYS[7], ARGV[2]) end
redis.call('ZADD', KEYS[5], 0, ARGV[4] .. ' ' .. id .. ' ' .. ARGV[3])
redis.call('HINCRBY', KEYS[2], 'messages', ARGV[5])
redis.call('HINCRBY', KEYS[2], 'bytes', length)
redis.call('HINCRBY', KEYS[3], ARGV[3], ARGV[5])
redis.call('HINCRBY', KEYS[4], ARGV[3], length)
local field = ARGV[12] % ARGV[13]
local slot, came = string.match(redis.call('HGET', KEYS[6], field) or '', '(%d+) (%d+)')
if slot ~= ARGV[12] then came = 0 end
redis.call('HSET', KEYS[6], field, ARGV[12] .. ' ' .. string.format('%d', came + ARGV[5]))
if KEYS[8] then
    redis.call('HSET', KEYS[8], 'content', ARGV[14], 'first', ARGV[4], 'count', ARGV[5])
    redis.call('PEXPIREAT', KEYS[8], ARGV[15])
end
return {'queued'}
