#!lua
-- Puts a unit on a queue, all of it or nothing: what can fail is tried before the first write.
-- KEYS: owner, stream, totals, waiting, bytes, units, arrivals, key of the sender (may be missing)
-- ARGV: owner, deadline, queue, first id, count, received at, sender, bodies, digest, most bytes, most queues, slot, slots, content, expires at, field of the key
local now = redis.call('TIME')
local now_ms = now[1] * 1000 + math.floor(now[2] / 1000)
if now_ms > tonumber(ARGV[2]) then return {'late', now_ms} end
if KEYS[8] then
    local known = redis.call('HMGET', KEYS[8], 'content', 'first', 'count')
    if known[1] then
        if known[1] == ARGV[14] and known[3] == ARGV[5] then return {'repeated', known[2]} end
        return {'taken'}
    end
end
local function add(known, number) return string.format('%d', (tonumber(known) or 0) + number) end
local length = #ARGV[8]
local totals = redis.call('HMGET', KEYS[3], 'messages', 'bytes')
if add(totals[2], length) - ARGV[10] > 0 then return {'full'} end
local waiting = redis.call('HGET', KEYS[4], ARGV[3])
if not waiting and redis.call('HLEN', KEYS[4]) >= tonumber(ARGV[11]) then return {'queues'} end
local bytes = redis.call('HGET', KEYS[5], ARGV[3])
local field = ARGV[12] % ARGV[13]
local slot, came = string.match(redis.call('HGET', KEYS[7], field) or '', '(%d+) (%d+)')
if slot ~= ARGV[12] then came = 0 end
-- A key of another type ends the script here, as it did above.
redis.call('XLEN', KEYS[2])
redis.call('ZCARD', KEYS[6])
local function check(command, key, ...)
    if not redis.acl_check_cmd(command, key, ...) then
        error({ err = 'NOPERM its account may not use ' .. command .. ' on ' .. key })
    end
end
check('XADD', KEYS[2], '*', '', '')
check('SET', KEYS[1], '')
check('ZADD', KEYS[6], 0, '')
check('HSET', KEYS[3], '', '')
check('HSET', KEYS[4], '', '')
check('HSET', KEYS[5], '', '')
check('HSET', KEYS[7], '', '')
if KEYS[8] then
    check('HSET', KEYS[8], '', '')
    check('PEXPIREAT', KEYS[8], 0)
end
-- The first write, since it fails where the ids of a stream are used up.
local id = redis.call('XADD', KEYS[2], '*', 'first', ARGV[4], 'count', ARGV[5], 'at', ARGV[6], 'sender', ARGV[7], 'bodies', ARGV[8], 'key', ARGV[16], 'digest', ARGV[9])
if not owner then redis.call('SET', KEYS[1], ARGV[1]) end
redis.call('ZADD', KEYS[6], 0, ARGV[4] .. ' ' .. id .. ' ' .. ARGV[3])
redis.call('HSET', KEYS[3], 'messages', add(totals[1], ARGV[5]), 'bytes', add(totals[2], length))
redis.call('HSET', KEYS[4], ARGV[3], add(waiting, ARGV[5]))
redis.call('HSET', KEYS[5], ARGV[3], add(bytes, length))
redis.call('HSET', KEYS[7], field, ARGV[12] .. ' ' .. add(came, ARGV[5]))
if KEYS[8] then
    redis.call('HSET', KEYS[8], 'content', ARGV[14], 'first', ARGV[4], 'count', ARGV[5])
    redis.call('PEXPIREAT', KEYS[8], ARGV[15])
end
return {'queued'}
