#!lua flags=allow-oom
-- Mends what is counted of the queues where it is odd: a server that evicts keys, or somebody, removed or changed it. One consumer does it
-- for all, now and then.
-- KEYS: owner, totals, waiting, bytes, units, mended
-- ARGV: owner, milliseconds until it is due again, prefix of streams, the queues that have a stream
if redis.call('PTTL', KEYS[6]) > 0 then return redis.status_reply('OK') end
redis.call('SET', KEYS[6], ARGV[1], 'PX', ARGV[2])
for place = 2, 5 do
    local found = redis.call('TYPE', KEYS[place]).ok
    if found ~= (place == 5 and 'zset' or 'hash') then redis.call('DEL', KEYS[place]) end
end
local function count(stream)
    local messages, bytes, from = 0, 0, '-'
    repeat
        -- Few at a time: each may hold 8 MiB.
        local entries = redis.call('XRANGE', stream, from, '+', 'COUNT', 10)
        for _, entry in ipairs(entries) do
            local fields = {}
            for field = 1, #entry[2], 2 do fields[entry[2][field]] = entry[2][field + 1] end
            messages = messages + (tonumber(fields.count) or 1)
            bytes = bytes + #(fields.bodies or '')
            from = '(' .. entry[1]
        end
    until #entries == 0
    return messages, bytes
end
local queues, all_messages, all_bytes = {}, 0, 0
for place = 4, #ARGV do queues[ARGV[place]] = true end
for _, queue in ipairs(redis.call('HKEYS', KEYS[3])) do queues[queue] = true end
for queue in pairs(queues) do
    local stream = ARGV[3] .. queue
    local units = redis.pcall('XLEN', stream)
    if type(units) == 'table' then units = 0 end
    local messages = tonumber(redis.call('HGET', KEYS[3], queue)) or -1
    local bytes = tonumber(redis.call('HGET', KEYS[4], queue)) or -1
    -- A unit holds a message at least, and a message a byte.
    if messages < units or bytes < messages or (units == 0 and bytes > 0) then
        messages, bytes = 0, 0
        if units > 0 then messages, bytes = count(stream) end
        redis.call('HSET', KEYS[3], queue, string.format('%d', messages))
        redis.call('HSET', KEYS[4], queue, string.format('%d', bytes))
    end
    all_messages, all_bytes = all_messages + messages, all_bytes + bytes
end
redis.call('HSET', KEYS[2], 'messages', string.format('%d', all_messages), 'bytes', string.format('%d', all_bytes))
if not owner and all_messages > 0 then redis.call('SET', KEYS[1], ARGV[1]) end
return redis.status_reply('OK')
