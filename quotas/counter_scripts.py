"""The counters' smaller scripts in Redis; the decision itself is gate.lua, its end settle.lua."""

from config.quick_redis import Script

# What the ledger knows only grows, and so does what a spool has counted (settle.lua).
INFORM = Script("""
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
if tonumber(ARGV[2]) > tonumber(redis.call('HGET', KEYS[1], 'base')) then
  redis.call('HSET', KEYS[1], 'base', ARGV[2])
end
for index = 3, #ARGV, 2 do
  local field = 'spool:' .. ARGV[index]
  local more = tonumber(ARGV[index + 1]) - tonumber(redis.call('HGET', KEYS[1], field) or '0')
  if more > 0 then
    redis.call('HINCRBY', KEYS[1], 'counted', string.format('%.0f', more))
    redis.call('HSET', KEYS[1], field, ARGV[index + 1])
  end
end
return 1
""")
# What the capped budget has paid for beside these calls (quotas/caps/reckoning.py).
REMIND = Script("""
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local time = redis.call('TIME')
local now = string.format('%.0f', tonumber(time[1]) * 1000000 + tonumber(time[2]))
redis.call('HSET', KEYS[1], 'elsewhere', ARGV[1], 'elsewhere_at', now)
return 1
""")
# Only what still runs: a lease that was settled meanwhile must not come back.
RENEW = Script("""
local time = redis.call('TIME')
local ends = tonumber(time[1]) * 1000000 + tonumber(time[2]) + tonumber(ARGV[1])
for index = 2, #ARGV do
  redis.call('ZADD', KEYS[1], 'XX', string.format('%.0f', ends), ARGV[index])
end
return 1
""")
