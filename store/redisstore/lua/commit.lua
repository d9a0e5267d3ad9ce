-- Promise: stores only for the holder of the field's lease, and changes the
-- base only if it is still the one the holder saw. A base that has vanished is
-- never brought back under its old stamp. A base has no more variants than it
-- may: count is kept here alone, and begins anew with each base, so that it need
-- not be purged, and to lose it only lets more in.
-- KEYS control count base [variant] log...
-- ARGV field stamp seenBase px variantValue newBase basePx baseExpiry name variants reuses logBytes...
-- With reuses 1 the base must be the one the holder saw, and be there still: a
-- purge deletes leases and base in two steps, and a fill that took its lease
-- between them must not bring back what it saw before.
-- Without newBase the base stays, and lives as long as its variant at least.
-- Without any value the last key is deleted.
-- Logs are named where all keys are on one node, with the bytes (inc, head) up
-- to which the caller knows that no purge has overtaken it.
-- 1 stored · 0 overtaken, or full · 2 a log has moved: look at it, and try again
local cur = redis.call('HGET', KEYS[1], ARGV[1])
if not cur or string.sub(cur, 1, 16) ~= ARGV[2] then return 0 end
local keys = #KEYS - (#ARGV - 11)
for i = 12, #ARGV do
  if redis.call('GETRANGE', KEYS[keys + i - 11], 0, 23) ~= ARGV[i] then return 2 end
end
redis.call('HDEL', KEYS[1], ARGV[1])
local base = redis.call('GETRANGE', KEYS[3], 0, 15)
if base ~= ARGV[3] and (ARGV[11] == '1' or base ~= '' or ARGV[6] == '' and ARGV[5] ~= '') then return 0 end
if ARGV[5] == '' and ARGV[6] == '' then
  redis.call('UNLINK', KEYS[keys])
  if keys == 4 then redis.call('ZREM', KEYS[2], ARGV[9]) end
  return 1
end
if keys == 4 then redis.call('GETRANGE', KEYS[4], 0, 0) end -- an error, if it is not ours
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local px = tonumber(ARGV[4])
if ARGV[6] ~= '' then
  redis.call('UNLINK', KEYS[2])
  redis.call('SET', KEYS[3], ARGV[6], 'PX', ARGV[7])
elseif keys == 4 and redis.call('GETRANGE', KEYS[4], 60, 75) ~= base
  and full(KEYS[2], ARGV[9], tonumber(ARGV[10]), now) then
  return 0 -- fills that ran beside this one took the last places
elseif base ~= '' and redis.call('PTTL', KEYS[3]) < px then
  redis.call('SETRANGE', KEYS[3], 36, ARGV[8])
  redis.call('PEXPIRE', KEYS[3], ARGV[7])
end
if keys == 4 then
  redis.call('SET', KEYS[4], ARGV[5], 'PX', px)
  -- More go than come, a few at a time.
  local ended = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now - 1, 'LIMIT', 0, 16)
  if #ended > 0 then redis.call('ZREM', KEYS[2], unpack(ended)) end
  redis.call('ZADD', KEYS[2], now + px, ARGV[9])
  if redis.call('PTTL', KEYS[2]) < px then redis.call('PEXPIRE', KEYS[2], px) end
end
return 1
