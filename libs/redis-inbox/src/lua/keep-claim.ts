import { inboxScript } from './inbox-script';

// KEYS: entry. ARGV: the claim as it is stored, its lease; 0 gives it up. Answers 1 when it was still its own.
export const keepClaim = inboxScript(
  1,
  `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then return redis.call('DEL', KEYS[1]) end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`,
);
