-- Promise: stores only for the holder of the field's lease, and changes the
-- base only if it is still the one the holder saw. A base that has vanished is
-- never brought back under its old stamp.
-- KEYS control base [variant]
-- ARGV field stamp seenBase px variantValue newBase basePx baseExpiry
-- Without newBase the base stays, and lives as long as its variant at least.
-- Without any value the last key is deleted.
-- 1 stored · 0 overtaken
local cur = redis.call('HGET', KEYS[1], ARGV[1])
if not cur or string.sub(cur, 1, 16) ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
local base = redis.call('GETRANGE', KEYS[2], 0, 15)
if base ~= ARGV[3] and not (base == '' and (ARGV[6] ~= '' or ARGV[5] == '')) then return 0 end
if ARGV[5] == '' and ARGV[6] == '' then
  redis.call('UNLINK', KEYS[#KEYS])
  return 1
end
local px = tonumber(ARGV[4])
if ARGV[6] ~= '' then
  redis.call('SET', KEYS[2], ARGV[6], 'PX', ARGV[7])
elseif base ~= '' and redis.call('PTTL', KEYS[2]) < px then
  redis.call('SETRANGE', KEYS[2], 36, ARGV[8])
  redis.call('PEXPIRE', KEYS[2], ARGV[7])
end
if #KEYS == 3 then redis.call('SET', KEYS[3], ARGV[5], 'PX', px) end
return 1
