#!lua flags=no-writes
-- Returns for each queue: name, messages, bytes, when the oldest came, deliveries of the oldest, consumers, arrivals by slot.
-- KEYS: owner, waiting, bytes
-- ARGV: owner, group, prefix of streams, prefix of arrivals, slots, first slot, last slot
local facts = {}
local waiting = redis.call('HGETALL', KEYS[2])
for place = 1, #waiting, 2 do
    local queue = waiting[place]
    local stream = ARGV[3] .. queue
    local at, deliveries, consumers = false, 0, {}
    local oldest = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
    if oldest then
        for field = 1, #oldest[2], 2 do
            if oldest[2][field] == 'at' then at = oldest[2][field + 1] end
        end
    end
    -- Without a group, nothing was taken yet.
    local held = redis.pcall('XPENDING', stream, ARGV[2], '-', '+', 1)
    if not held.err and held[1] then deliveries = held[1][4] end
    local known = redis.pcall('XINFO', 'CONSUMERS', stream, ARGV[2])
    if not known.err then
        for _, consumer in ipairs(known) do
            consumers[#consumers + 1] = { consumer[2], consumer[4], consumer[6] }
        end
    end
    local arrivals = {}
    for slot = ARGV[6], ARGV[7] do
        local came = redis.call('HGET', ARGV[4] .. queue, slot % ARGV[5])
        local of, count = string.match(came or '', '(%d+) (%d+)')
        if of and tonumber(of) == slot then arrivals[#arrivals + 1] = { slot, tonumber(count) } end
    end
    facts[#facts + 1] = { queue, tonumber(waiting[place + 1]) or 0, tonumber(redis.call('HGET', KEYS[3], queue)) or 0, at, deliveries, consumers, arrivals }
end
return facts
