#!lua flags=allow-oom
-- Takes the oldest units of a queue that nobody else is taking from: first those that consumers held that are dead.
-- KEYS: owner, stream, lease
-- ARGV: owner, group, consumer, lease, milliseconds of the lease, enough messages, enough bytes
if redis.call('EXISTS', KEYS[2]) == 0 then return {} end
if not redis.call('SET', KEYS[3], ARGV[4], 'NX', 'PX', ARGV[5]) then
    -- One that would never lapse, or too late, is nobody's.
    local left = redis.call('PTTL', KEYS[3])
    if left < 0 or left > tonumber(ARGV[5]) then redis.call('PEXPIRE', KEYS[3], ARGV[5]) end
    return {}
end
-- A server that lost its data, or somebody, may have removed the group: from the beginning, since what is done is not there.
redis.pcall('XGROUP', 'CREATE', KEYS[2], ARGV[2], '0')
local taken, messages, bytes = {}, 0, 0
local function add(entry)
    taken[#taken + 1] = entry
    for place = 1, #entry[2], 2 do
        if entry[2][place] == 'count' then messages = messages + (tonumber(entry[2][place + 1]) or 1) end
        if entry[2][place] == 'bodies' then bytes = bytes + #entry[2][place + 1] end
    end
end
local function is_enough() return messages >= tonumber(ARGV[6]) or bytes >= tonumber(ARGV[7]) end
local from = '0-0'
repeat
    local held = redis.call('XAUTOCLAIM', KEYS[2], ARGV[2], ARGV[3], 0, from, 'COUNT', 1)
    from = held[1]
    for _, entry in ipairs(held[2]) do add(entry) end
until from == '0-0' or is_enough()
while not is_enough() do
    local new = redis.call('XREADGROUP', 'GROUP', ARGV[2], ARGV[3], 'COUNT', 1, 'STREAMS', KEYS[2], '>')
    if not new then break end
    add(new[1][2][1])
end
for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[2], ARGV[2])) do
    -- Its process is gone for an hour, or had nothing to do.
    if consumer[4] == 0 and consumer[6] > 3600000 then redis.call('XGROUP', 'DELCONSUMER', KEYS[2], ARGV[2], consumer[2]) end
end
if #taken == 0 then redis.call('DEL', KEYS[3]) end
return taken
