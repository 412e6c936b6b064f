-- One decision: every rate (GCRA) and the month's API calls count together, or nothing counts.
--
-- KEYS[1]  hash of the month's API calls: epoch, base, counted, returned
-- KEYS[2…] one key for each rate: its theoretical arrival time in microseconds
-- ARGV     1 until when the question is meant, in microseconds (0: for ever)
--          2 calls asked (0: not metered)  3 calls allowed (-1: unlimited)
--          4 epoch and 5 base to begin with when the hash is missing ('' : do not begin)
--          6 when the hash expires (unix seconds)
--          7… for each rate: interval in microseconds, burst, cost
-- Answer   { verdict, now, microseconds until a retry passes, calls used, epoch,
--            remaining and microseconds until full of each rate … }
--          verdict 0: allowed; n > 0: rate n refused; -1: calls used up; -2: begin the hash first;
--          -3: too late, the asker has given up
--
-- Time is Redis's own: servers' clocks differ by more than a short window. Every time is a whole
-- number of microseconds below 2^53, which a double holds; Lua's tostring would cut it to 14 digits.

local function whole(number)
  return string.format('%.0f', number)
end

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])

local deadline = tonumber(ARGV[1])
if deadline > 0 and now > deadline then
  return { -3, now }
end

local asked, allowed = tonumber(ARGV[2]), tonumber(ARGV[3])
local calls_used, epoch = 0, ''
if asked > 0 then
  local counters = redis.call('HMGET', KEYS[1], 'epoch', 'base', 'counted', 'returned')
  if not counters[1] then
    if ARGV[4] == '' then
      return { -2, now }
    end
    redis.call('HSET', KEYS[1], 'epoch', ARGV[4], 'base', ARGV[5], 'counted', '0', 'returned', '0')
    redis.call('EXPIREAT', KEYS[1], ARGV[6])
    counters = { ARGV[4], ARGV[5], '0', '0' }
  end
  epoch = counters[1]
  calls_used = tonumber(counters[2]) + tonumber(counters[3]) - tonumber(counters[4])
end

local verdict, retry = 0, 0
local rates = {}
for index = 2, #KEYS do
  local at = 7 + (index - 2) * 3
  local interval, burst, cost = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local arrival = math.max(tonumber(redis.call('GET', KEYS[index]) or '0'), now)
  local after = arrival + interval * cost
  local over = after - (now + interval * burst)
  if over > 0 and verdict == 0 then
    verdict, retry = index - 1, over
  end
  rates[index - 1] = { key = KEYS[index], interval = interval, burst = burst, arrival = arrival, after = after }
end
if verdict == 0 and asked > 0 and allowed >= 0 and calls_used + asked > allowed then
  verdict = -1
end

local answer = { verdict, now, retry, calls_used, epoch }
for _, rate in ipairs(rates) do
  local arrival = rate.arrival
  if verdict == 0 then
    arrival = rate.after
    redis.call('SET', rate.key, whole(arrival), 'PX', whole(math.ceil((arrival - now) / 1000) + 1))
  end
  answer[#answer + 1] = math.max(0, math.floor((now + rate.interval * rate.burst - arrival) / rate.interval))
  answer[#answer + 1] = arrival - now
end
if verdict == 0 and asked > 0 then
  redis.call('HINCRBY', KEYS[1], 'counted', whole(asked))
  answer[4] = calls_used + asked
end
return answer
