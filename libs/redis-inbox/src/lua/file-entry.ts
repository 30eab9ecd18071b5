import { inboxScript } from './inbox-script';

// KEYS: entry. ARGV: how it is filed (d or s), fingerprint, the claim that it was under or nothing, how long it is kept at least, the bucket's end or 0.
// What is filed already stays as it is. Answers 0 for that, 1 when the claim was its own, 2 when it was over or is somebody else's by now.
export const fileEntry = inboxScript(
  1,
  `
local value = redis.call('GET', KEYS[1])
local kind = value and string.sub(value, 1, 1)
if kind == 'd' or kind == 's' then return 0 end
if ARGV[1] == 's' and kind == 'c' then return 2 end
local now = redis.call('TIME')
now = tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000)
local keep = tonumber(ARGV[4])
redis.call('SET', KEYS[1], ARGV[1] .. ':' .. ARGV[2], 'PXAT', string.format('%.0f', math.max(now, tonumber(ARGV[5])) + keep))
return value == 'c:' .. ARGV[2] .. ':' .. ARGV[3] and 1 or 2
`,
);
