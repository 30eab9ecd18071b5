import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Evidence } from './evidence';

export interface CheckFiles {
  readonly gifts: string;
  readonly ledger: string;
}

const ndjson = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

/** Keeps what was accepted and what the ledger says, one JSON object a line, for whoever wants to add it up again (examples/recompute.py). */
export async function writeCheckFiles(
  folder: string,
  run: string,
  { accepted, ledger }: Pick<Evidence, 'accepted' | 'ledger'>,
): Promise<CheckFiles> {
  const files = { gifts: join(folder, `${run}.ndjson`), ledger: join(folder, `${run}.ledger.ndjson`) };
  await mkdir(folder, { recursive: true });
  await writeFile(files.gifts, ndjson(accepted));
  await writeFile(files.ledger, ndjson(ledger));
  return files;
}
