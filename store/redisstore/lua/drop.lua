-- Promise: takes back what one fill stored, and nothing that a later one did.
-- KEYS value...
-- ARGV stamp
for i = 1, #KEYS do
  if redis.call('GETRANGE', KEYS[i], 0, 15) == ARGV[1] then redis.call('UNLINK', KEYS[i]) end
end
return 1
