import { inboxScript } from './inbox-script';

// KEYS: entry, horizon. ARGV: claim, fingerprint, its lease, the bucket's day or -1, retention, days ahead, by how much the clock is taken to be ahead.
export const claimEntry = inboxScript(
  2,
  `
local now = redis.call('TIME')
local today = math.floor((tonumber(now[1]) * 1000 + tonumber(ARGV[7])) / 86400000)
local horizon = math.max(today - tonumber(ARGV[5]), tonumber(redis.call('GET', KEYS[2]) or -1))
redis.call('SET', KEYS[2], horizon)
local bucket = tonumber(ARGV[4])
if bucket >= 0 and bucket < horizon then return { 'outside', horizon } end
if bucket > today + tonumber(ARGV[6]) then return { 'ahead', today + tonumber(ARGV[6]) } end
local value = redis.call('GET', KEYS[1])
if not value then
  if ARGV[1] == 's' then return { 'fresh', 0 } end
  redis.call('SET', KEYS[1], 'c:' .. ARGV[2] .. ':' .. ARGV[1], 'PX', ARGV[3])
  return { 'fresh', 0 }
end
local kind = string.sub(value, 1, 1)
if kind == 'c' then return { 'busy', 0 } end
if string.sub(value, 3) ~= ARGV[2] then return { 'conflict', 0 } end
return { kind == 'd' and 'done' or 'sealed', 0 }
`,
);
