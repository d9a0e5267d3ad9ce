-- Promise: a lost log is made anew, and one that went backwards is raised, with
-- everything older closed: entries that rest on the old one are not served.
-- KEYS log
-- ARGV newInc highWater
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local v = redis.call('GET', KEYS[1])
if not v or #v < 40 or (#v - 40) % 24 ~= 0 then
  v = ARGV[1] .. struct.pack('>ddd', now, now, now)
else
  local s = struct.unpack('>d', v, 17)
  if s >= tonumber(ARGV[2]) then return v end
  s = math.max(now, tonumber(ARGV[2]) + 1)
  v = string.sub(v, 1, 16) .. struct.pack('>ddd', s, s, s)
end
redis.call('SET', KEYS[1], v)
return v
