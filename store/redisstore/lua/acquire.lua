-- Promise: at most one holder per field, and only for a caller who has seen
-- what is stored now; none for a variant more than the key may have.
-- KEYS control count base [variant]
-- ARGV field stamp lease_ms seenBase seenVariant steal variants
-- 1 yours, time · 0 held, ms left, time · 2 changed, base stamp, variant stamp
-- 3 memo of an uncacheable answer: run, no lease, nothing to store
-- 4 the key is full, time: run, no lease, nothing to store
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local base = redis.call('GETRANGE', KEYS[3], 0, 15)
local variant = ''
if #KEYS == 4 then
  -- A variant of an earlier base (bytes 60 to 75 name its own) is unreachable,
  -- so nobody can have seen it.
  if redis.call('GETRANGE', KEYS[4], 60, 75) == base then
    variant = redis.call('GETRANGE', KEYS[4], 0, 15)
  end
end
if base ~= ARGV[4] and (base ~= '' or #KEYS == 4) then return {2, base, variant} end
if variant ~= '' and variant ~= ARGV[5] then return {2, base, variant} end
if #KEYS == 4 and variant == '' and full(KEYS[2], ARGV[1], tonumber(ARGV[7]), now) then return {4, now} end
local cur = redis.call('HGET', KEYS[1], ARGV[1])
if cur and ARGV[6] ~= '1' then
  local left = tonumber(string.sub(cur, 17)) - now
  if left > 0 then
    return {string.sub(cur, 1, 16) == string.rep('U', 16) and 3 or 0, left, now}
  end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. string.format('%.0f', now + ARGV[3]))
if redis.call('PTTL', KEYS[1]) < 2 * ARGV[3] then redis.call('PEXPIRE', KEYS[1], 4 * ARGV[3]) end
return {1, now}
