-- The end of what gate.lua let in: its lease ends, and the calls that it had reserved count, or not.
--
-- KEYS[1]  hash of the month's API calls  KEYS[2] sorted set of what runs
-- ARGV     1 member of KEYS[2]  2 epoch in which it reserved ('': it reserved no calls)
--          3 calls reserved  4 the process's spool ('': nothing counts)
--          5 all calls that this spool has counted in this epoch
--
-- A lease that has run out meanwhile has given its calls back already; what was done counts all the same.
-- A spool tells its sum and not what is added: told twice, late or out of order it counts once, and a
-- later word makes good one that was lost.

local had = redis.call('ZREM', KEYS[2], ARGV[1])
if ARGV[2] == '' or redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[2] then
  return 0
end
if had == 1 then
  redis.call('HINCRBY', KEYS[1], 'reserved', -tonumber(ARGV[3]))
end
if ARGV[4] ~= '' then
  local field = 'spool:' .. ARGV[4]
  local more = tonumber(ARGV[5]) - tonumber(redis.call('HGET', KEYS[1], field) or '0')
  if more > 0 then
    redis.call('HINCRBY', KEYS[1], 'counted', string.format('%.0f', more))
    redis.call('HSET', KEYS[1], field, ARGV[5])
  end
end
return 1
