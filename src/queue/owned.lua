-- Begins each script. KEYS[1]: owner. ARGV[1]: the catalogue that asks.
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return redis.error_reply('FOREIGN database of another catalogue') end
