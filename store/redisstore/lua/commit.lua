-- Promise: stores only for the holder of the field's lease, and changes the
-- base only if it is still the one the holder saw. A base that has vanished is
-- never brought back under its old stamp.
-- KEYS control base [variant] log...
-- ARGV field stamp seenBase px variantValue newBase basePx baseExpiry logBytes...
-- Without newBase the base stays, and lives as long as its variant at least.
-- Without any value the last key is deleted.
-- Logs are named where all keys are on one node, with the bytes (inc, head) up
-- to which the caller knows that no purge has overtaken it.
-- 1 stored · 0 overtaken · 2 a log has moved: look at it, and try again
local cur = redis.call('HGET', KEYS[1], ARGV[1])
if not cur or string.sub(cur, 1, 16) ~= ARGV[2] then return 0 end
local keys = #KEYS - (#ARGV - 8)
for i = 9, #ARGV do
  if redis.call('GETRANGE', KEYS[keys + i - 8], 0, 23) ~= ARGV[i] then return 2 end
end
redis.call('HDEL', KEYS[1], ARGV[1])
local base = redis.call('GETRANGE', KEYS[2], 0, 15)
if base ~= ARGV[3] and not (base == '' and (ARGV[6] ~= '' or ARGV[5] == '')) then return 0 end
if ARGV[5] == '' and ARGV[6] == '' then
  redis.call('UNLINK', KEYS[keys])
  return 1
end
local px = tonumber(ARGV[4])
if ARGV[6] ~= '' then
  redis.call('SET', KEYS[2], ARGV[6], 'PX', ARGV[7])
elseif base ~= '' and redis.call('PTTL', KEYS[2]) < px then
  redis.call('SETRANGE', KEYS[2], 36, ARGV[8])
  redis.call('PEXPIRE', KEYS[2], ARGV[7])
end
if keys == 3 then redis.call('SET', KEYS[3], ARGV[5], 'PX', px) end
return 1
