-- Promise: renews or ends a lease only for its holder.
-- KEYS control
-- ARGV field stamp ms newStamp      ms 0: release · newStamp = stamp: renew
-- newStamp = 16 times U: a memo that the answer is uncacheable
local cur = redis.call('HGET', KEYS[1], ARGV[1])
if not cur or string.sub(cur, 1, 16) ~= ARGV[2] then return 0 end
if ARGV[3] == '0' then
  redis.call('HDEL', KEYS[1], ARGV[1])
  return 1
end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('HSET', KEYS[1], ARGV[1], ARGV[4] .. string.format('%.0f', now + ARGV[3]))
if redis.call('PTTL', KEYS[1]) < 2 * ARGV[3] then redis.call('PEXPIRE', KEYS[1], 4 * ARGV[3]) end
return 1
