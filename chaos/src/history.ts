import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** What a process wrote down, each line before or after the act that it tells of, never in the act's transaction. */
export type HistoryEvent =
  /** Before the publish call, while the key's row lock is held; the counter was taken under that lock. */
  | {
      readonly event: 'publish';
      readonly tx: string;
      readonly message: string;
      readonly key: string;
      readonly counter: number;
    }
  /** After a rollback to a savepoint that lay before the publish. */
  | { readonly event: 'undone'; readonly tx: string; readonly message: string }
  /** After commit or rollback returned. `unknown`: the answer to COMMIT was lost. */
  | { readonly event: 'end'; readonly tx: string; readonly outcome: 'committed' | 'rolledBack' | 'unknown' }
  /** Before anything else is done with a delivery. */
  | { readonly event: 'delivered'; readonly group: string; readonly message: string };

/** The history of one process, a JSON object a line. Each line is one write call: a SIGKILL after it returned does not take it back. */
export class HistoryFile {
  readonly #file: number;

  constructor(folder: string, name: string) {
    mkdirSync(folder, { recursive: true });
    this.#file = openSync(join(folder, `${name}.history.ndjson`), 'a');
  }

  write(event: HistoryEvent): void {
    writeSync(this.#file, `${JSON.stringify(event)}\n`);
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** All that the processes of a run wrote. A last line that a kill cut off tells of an act that had not begun: it is left out. */
export function readHistories(folder: string): HistoryEvent[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.history.ndjson'))
    .flatMap((file) => {
      const lines = readFileSync(join(folder, file), 'utf8').split('\n');
      return lines.slice(0, -1).map((line) => JSON.parse(line) as HistoryEvent);
    });
}
