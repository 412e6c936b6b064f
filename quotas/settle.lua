-- The end of what gate.lua let in: its lease ends, and the calls that it had reserved count, or not.
--
-- KEYS[1]  hash of the month's API calls  KEYS[2] sorted set of what runs
-- ARGV     1 member of KEYS[2]  2 epoch in which it reserved ('': it reserved no calls)
--          3 calls reserved  4 calls that count
--
-- A lease that has run out meanwhile has given its calls back already; what was done counts all the same.

local had = redis.call('ZREM', KEYS[2], ARGV[1])
if ARGV[2] == '' or redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[2] then
  return 0
end
if had == 1 then
  redis.call('HINCRBY', KEYS[1], 'reserved', -tonumber(ARGV[3]))
end
if tonumber(ARGV[4]) > 0 then
  redis.call('HINCRBY', KEYS[1], 'counted', ARGV[4])
end
return 1
