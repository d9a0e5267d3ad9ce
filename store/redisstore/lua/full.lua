-- Stands before the scripts that need it. count names the variants of a key's
-- base, each with the time, in ms, at which its life ends. full tells whether
-- limit of them (0: any number) live at now, and name is none of them.
local function full(count, name, limit, now)
  if limit == 0 then return false end
  local ends = tonumber(redis.call('ZSCORE', count, name) or 0)
  return ends < now and redis.call('ZCOUNT', count, now, '+inf') >= limit
end
