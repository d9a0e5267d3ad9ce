-- Promise: the URL's fills under way are lost, and what is stored is marked
-- stale, its variants with it, in one step.
-- KEYS control base
-- ARGV token
redis.call('UNLINK', KEYS[1])
if redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('SETRANGE', KEYS[2], 16, ARGV[1])
  return 1
end
return 0
