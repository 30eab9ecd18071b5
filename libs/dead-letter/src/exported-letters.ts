import type { DeadLetters } from './dead-letters';
import type { LetterFilter } from './letter-filter';
import { lineOf } from './letter-line';

const PAGE = 100;

/** Letters as lines, read page by page as they are consumed. */
export async function* exportedLetters(
  letters: Pick<DeadLetters, 'list' | 'find'>,
  filter: LetterFilter,
): AsyncGenerator<string> {
  for (let after = '0'; ;) {
    const page = await letters.list({ ...filter, after, limit: PAGE });
    for (const { id } of page) {
      const letter = await letters.find(id);
      if (letter) yield lineOf(letter);
    }
    const last = page.at(-1);
    if (!last || page.length < PAGE) return;
    after = last.id;
  }
}
