import type { InboxEntry } from '@tidings/inbox';

/** `{`, `}` would move the hash tag. */
const part = (name: string): string => name.replace(/[%{}]/g, encodeURIComponent);

/** The subscription is the hash tag of all of its keys: they share a slot of a Redis Cluster. */
const base = (prefix: string, kind: string, subscription: string): string =>
  `${prefix}:${kind}:{${part(subscription)}}`;

/** `c:<fingerprint>:<token>` while it is handled, `d:<fingerprint>` when it is done, `s:<fingerprint>` when it is sealed. */
export const entryKey = (prefix: string, kind: 'inbox' | 'seen', entry: InboxEntry): string => {
  const { subscription, digest, generation, bucket } = entry;
  return `${base(prefix, kind, subscription)}:${bucket ?? 'foreign'}:${generation}:${digest.toString('base64url')}`;
};

/** The oldest day that is still known, as a number of days since 1970; it never goes back. */
export const horizonKey = (prefix: string, subscription: string): string =>
  `${base(prefix, 'inbox', subscription)}:horizon`;
