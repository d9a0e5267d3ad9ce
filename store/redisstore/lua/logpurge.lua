-- Promise: the purge's number is greater than every number that a fill begun
-- before can have noted, whatever became of the log in between.
-- KEYS log
-- ARGV newInc highWater h|s taghash...     no taghash: everything in this log
-- Log: inc16 head8 hardFloor8 softFloor8 (taghash8 hard8 soft8)*, newest first.
local now = redis.call('TIME')
now = now[1] * 1000000 + now[2]
local v = redis.call('GET', KEYS[1])
local inc, head, fh, fs, recs
if v and #v >= 40 and (#v - 40) % 24 == 0 then
  inc = string.sub(v, 1, 16)
  head, fh, fs = struct.unpack('>ddd', v, 17)
  recs = string.sub(v, 41)
else
  inc = ARGV[1]; head = 0; fh = now; fs = now; recs = ''
end
local s = math.max(head + 1, now, tonumber(ARGV[2]) + 1)
local soft = ARGV[3] == 's'
if #ARGV == 3 then
  if soft then fs = s else fh = s; fs = s; recs = '' end
end
for i = 4, #ARGV do
  local h, a, b = ARGV[i], 0, 0
  for p = 1, #recs, 24 do
    if string.sub(recs, p, p + 7) == h then
      a, b = struct.unpack('>dd', recs, p + 8)
      recs = string.sub(recs, 1, p - 1) .. string.sub(recs, p + 24)
      break
    end
  end
  if soft then b = s else a = s; b = s end
  recs = h .. struct.pack('>dd', a, b) .. recs
end
while #recs > 24 * 128 do -- the oldest record becomes the floor
  local a, b = struct.unpack('>dd', recs, #recs - 15)
  recs = string.sub(recs, 1, -25)
  fh = math.max(fh, a)
  fs = math.max(fs, b)
end
redis.call('SET', KEYS[1], inc .. struct.pack('>ddd', s, fh, fs) .. recs)
return string.format('%.0f', s)
