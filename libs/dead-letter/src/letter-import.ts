import { asError, type Store } from '@tidings/core';
import { LetterImportError } from './dead-letter.errors';
import type { Decision, ImportReport } from './dead-letters';
import { letterOfLine } from './letter-line';
import { importLetter } from './sql/import-letter';
import { insertAudit } from './sql/insert-audit';

/** Files the letters of all lines, or none: one transaction. */
export async function importLetters(
  store: Store,
  chunks: AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>,
  decision: Decision,
): Promise<ImportReport> {
  return store.run(async (transaction) => {
    let [imported, known, line] = [0, 0, 0];
    for await (const text of linesOf(chunks)) {
      line += 1;
      if (text.trim() === '') continue;
      const letter = letterOfLine(text, line);
      const id = await importLetter(store, transaction, letter).catch((thrown: unknown) => {
        throw new LetterImportError(line, 'line', `cannot be stored: ${asError(thrown).message}`);
      });
      if (id === undefined) {
        known += 1;
        continue;
      }
      imported += 1;
      for (const entry of letter.audit) await insertAudit(store, transaction, id, entry);
      await insertAudit(store, transaction, id, { ...decision, action: 'import', payload: null, headers: null });
    }
    return { imported, known };
  });
}

/** Text or UTF-8 bytes, cut anywhere, as lines. */
export async function* linesOf(
  chunks: AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>,
): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + (typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true }))).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  rest += decoder.decode();
  if (rest !== '') yield rest;
}
