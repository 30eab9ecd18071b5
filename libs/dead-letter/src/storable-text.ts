/** Longer than any message that a person reads; an error may carry a whole response. */
const LONGEST_STORY = 20_000;

/**
 * Text as PostgreSQL can store it: U+0000, and halves of surrogate pairs, become U+FFFD. A message that has such a thing in its id must still be
 * buried; to be stuck because of it would be worse than to keep it a little changed.
 */
export const storable = (text: string): string => Buffer.from(text, 'utf8').toString('utf8').replaceAll('\0', '\uFFFD');

/** Text for people, cut at a length that keeps a letter readable. */
export const storableStory = (text: string): string =>
  storable(text.length > LONGEST_STORY ? `${text.slice(0, LONGEST_STORY)} … (${text.length} characters)` : text);
