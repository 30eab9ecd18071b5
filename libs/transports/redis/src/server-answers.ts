const WORDS = /^-?([A-Z]+)\b/;
/** The first word of what a server answers, as NOGROUP; undefined for anything else, as a lost connection. */
export const replyCode = (error: unknown): string | undefined =>
  error instanceof Error && error.name === 'ReplyError' ? (WORDS.exec(error.message)?.[1] ?? 'ERR') : undefined;

const HOPELESS: readonly (string | undefined)[] = ['NOPERM', 'NOAUTH', 'WRONGPASS', 'WRONGTYPE'];
/** The same command will be refused again. */
export const isHopeless = (error: unknown): boolean => HOPELESS.includes(replyCode(error));

/** A stream or its group was deleted under a reader. */
export const isGroupGone = (error: unknown): boolean => {
  const code = replyCode(error);
  return code === 'NOGROUP' || code === 'UNBLOCKED' || (error instanceof Error && /no such key/i.test(error.message));
};

/** What a server says for now: it is full, loading, failing over. Anything else that it answers, it will answer again. */
const FOR_NOW = 'OOM LOADING READONLY MASTERDOWN CLUSTERDOWN TRYAGAIN MOVED ASK BUSY MISCONF NOREPLICAS NOSCRIPT'.split(' '); // prettier-ignore

export function reasonOf(error: Error): 'transient' | 'refused' {
  const code = replyCode(error);
  if (code === undefined) return 'transient';
  const inside = /(?:^|[\s:'-])([A-Z]{3,})\s/.exec(error.message)?.[1];
  return FOR_NOW.includes(code) || (inside !== undefined && FOR_NOW.includes(inside)) ? 'transient' : 'refused';
}
