-- One decision: the version, every rate (GCRA), how many at once, and the month's API calls count
-- together, or nothing counts.
--
-- KEYS[1]  the tenant's version (tenants/versions.py)
-- KEYS[2]  hash of the month's API calls: epoch, base, counted, reserved; elsewhere and elsewhere_at: what
--          else the capped budget has paid for, in minor units, and when PostgreSQL said so
-- KEYS[3]  sorted set of what runs: '<request>:<calls reserved>' with the end of its lease
-- KEYS[4…] one key for each rate: its theoretical arrival time in microseconds
-- ARGV     1 until when the question is meant, in microseconds (0: for ever)
--          2 version that the asker knows ('': not compared)
--          3 calls asked (0: not metered)  4 calls allowed (-1: unlimited)
--          5 epoch and 6 base to begin with when the hash is missing ('' : do not begin)
--          7 when the hash expires (unix seconds)
--          8 member of KEYS[3] ('': no lease)  9 lease in microseconds  10 most at once (-1: unlimited)
--          11 the capped budget as JSON { cap, included, scale, bends } ('': calls weigh nothing)
--          12 what it has paid for elsewhere, as PostgreSQL says now ('': not asked)
--          13 for how many microseconds that may be believed
--          14… for each rate: interval in microseconds, burst, cost
-- Answer   { verdict, now, microseconds until a retry passes, calls used, epoch, running, spent,
--            remaining and microseconds until full of each rate … }
--          verdict 0: allowed; n > 0: rate n refused; -1: calls used up; -2: begin the hash first;
--          -3: too late, the asker has given up; -4: another version; -5: too many at once;
--          -6: ask PostgreSQL what is spent elsewhere; -7: the budget's cap is reached
--
-- Time is Redis's own: servers' clocks differ by more than a short window. Every time is a whole
-- number of microseconds below 2^53, which a double holds; Lua's tostring would cut it to 14 digits.

local function whole(number)
  return string.format('%.0f', number)
end

-- Minor units that so many calls above the included weigh, as quotas/caps/weights.py.
local function weight(budget, units)
  local exact = 0
  for _, bend in ipairs(budget.bends) do
    if units > bend[1] then
      exact = bend[2] + bend[3] * math.ceil((units - bend[1]) / bend[4])
    end
  end
  local minor = math.floor(exact / budget.scale)
  local rest = 2 * (exact - minor * budget.scale)
  if rest > budget.scale or (rest == budget.scale and minor % 2 == 1) then
    minor = minor + 1
  end
  return minor
end

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])

local deadline = tonumber(ARGV[1])
if deadline > 0 and now > deadline then
  return { -3, now }
end
if ARGV[2] ~= '' and redis.call('GET', KEYS[1]) ~= ARGV[2] then
  return { -4, now }
end

local asked, allowed = tonumber(ARGV[3]), tonumber(ARGV[4])
local lease = ARGV[8]
local calls_used, epoch, running, spent, is_capped = 0, '', 0, 0, false

if asked > 0 or lease ~= '' then
  -- Whoever was killed gives back by itself what it had reserved.
  local ended = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', whole(now), 'LIMIT', 0, 100)
  for _, member in ipairs(ended) do
    redis.call('ZREM', KEYS[3], member)
    local reserved = tonumber(string.match(member, ':(%d+)$'))
    if reserved > 0 and redis.call('HEXISTS', KEYS[2], 'epoch') == 1 then
      redis.call('HINCRBY', KEYS[2], 'reserved', whole(-reserved))
    end
  end
end

-- A question that is sent again, since its answer was lost: it has its lease, and all is counted already.
local is_repeated = lease ~= '' and redis.call('ZSCORE', KEYS[3], lease) ~= false

if asked > 0 then
  local counters = redis.call('HMGET', KEYS[2], 'epoch', 'base', 'counted', 'reserved')
  if not counters[1] then
    if ARGV[5] == '' then
      return { -2, now }
    end
    redis.call('HSET', KEYS[2], 'epoch', ARGV[5], 'base', ARGV[6], 'counted', '0', 'reserved', '0')
    redis.call('EXPIREAT', KEYS[2], ARGV[7])
    -- What is reserved was counted by the hash that is lost.
    redis.call('DEL', KEYS[3])
    is_repeated = false
    counters = { ARGV[5], ARGV[6], '0', '0' }
  end
  epoch = counters[1]
  calls_used = tonumber(counters[2]) + tonumber(counters[3]) + tonumber(counters[4])
  if is_repeated then
    calls_used = calls_used - asked
  end
  if ARGV[11] ~= '' then
    local budget = cjson.decode(ARGV[11])
    local before = weight(budget, calls_used - budget.included)
    local after = weight(budget, calls_used + asked - budget.included)
    if ARGV[12] ~= '' then
      redis.call('HSET', KEYS[2], 'elsewhere', ARGV[12], 'elsewhere_at', whole(now))
    end
    -- What weighs nothing passes, whatever was spent.
    if after > before then
      local told = redis.call('HMGET', KEYS[2], 'elsewhere', 'elsewhere_at')
      if not told[1] or now - tonumber(told[2]) > tonumber(ARGV[13]) then
        return { -6, now }
      end
      spent = tonumber(told[1]) + before
      is_capped = tonumber(told[1]) + after > budget.cap
    end
  end
end

local verdict, retry = 0, 0
local rates = {}
for index = 4, #KEYS do
  local at = 14 + (index - 4) * 3
  local interval, burst, cost = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  if is_repeated then
    cost = 0
  end
  local arrival = math.max(tonumber(redis.call('GET', KEYS[index]) or '0'), now)
  local after = arrival + interval * cost
  local over = after - (now + interval * burst)
  if over > 0 and verdict == 0 then
    verdict, retry = index - 3, over
  end
  rates[index - 3] = { key = KEYS[index], interval = interval, burst = burst, arrival = arrival, after = after }
end
if verdict == 0 and lease ~= '' then
  local most = tonumber(ARGV[10])
  running = redis.call('ZCARD', KEYS[3]) - (is_repeated and 1 or 0)
  if most >= 0 and running >= most then
    verdict = -5
  end
end
if verdict == 0 and asked > 0 and allowed >= 0 and calls_used + asked > allowed then
  verdict = -1
end
if verdict == 0 and is_capped then
  verdict = -7
end

local answer = { verdict, now, retry, calls_used, epoch, running, spent }
for _, rate in ipairs(rates) do
  local arrival = rate.arrival
  if verdict == 0 then
    arrival = rate.after
    redis.call('SET', rate.key, whole(arrival), 'PX', whole(math.ceil((arrival - now) / 1000) + 1))
  end
  answer[#answer + 1] = math.max(0, math.floor((now + rate.interval * rate.burst - arrival) / rate.interval))
  answer[#answer + 1] = arrival - now
end
if verdict == 0 and lease ~= '' then
  redis.call('ZADD', KEYS[3], whole(now + tonumber(ARGV[9])), lease)
  -- As long as the hash: a set that ended with its last lease would give nothing back.
  redis.call('EXPIREAT', KEYS[3], ARGV[7])
  answer[6] = running + 1
  if asked > 0 then
    if not is_repeated then
      redis.call('HINCRBY', KEYS[2], 'reserved', whole(asked))
    end
    answer[4] = calls_used + asked
  end
end
return answer
