import { type DeadLetter, type KeyParking, type Message, parseOptions, type Publisher } from '@tidings/core';
import { LetterEditError } from './dead-letter.errors';
import type {
  DeadLetters,
  Decision,
  DiscardResult,
  EditOptions,
  EditResult,
  ImportReport,
  ListOptions,
  PurgeReport,
  RedriveResult,
  SealGeneration,
} from './dead-letters';
import {
  decisionSchema,
  editSchema,
  groupsSchema,
  idSchema,
  listSchema,
  NO_ID,
  purgeSchema,
} from './dead-letters.options';
import { exportedLetters } from './exported-letters';
import type { LetterFilter } from './letter-filter';
import type { GroupOptions, LetterGroup } from './letter-group';
import { type LetterIdentity, letterKeyOf } from './letter-key';
import type { LetterTable } from './letter-table';
import { type FoundLetter, LetterRedrive, outgoingOf, type RedriveOfJob } from './letter-redrive';
import type { LetterSummary, StoredLetter } from './stored-letter';

export interface TableDeadLettersOptions {
  /** Seals the generation that a redrive supersedes. Default: none, for groups without an inbox. */
  readonly seal?: SealGeneration;
  /** Keys that wait behind a letter: a redrive or a discard lets them go on. Default: none are parked. */
  readonly keyParking?: KeyParking;
  /**
   * Checks an edited message against its contract and answers the key that it belongs to; undefined when the contract is not known here. Rejects when
   * the message does not fit. Default: knows no contract.
   */
  readonly checkContract?: (message: Message) => Promise<{ readonly key: string | null } | undefined>;
}

const PURGE_PAGE = 1_000;

/** What dead letters are to people and patterns, wherever their table is. */
export class TableDeadLetters implements DeadLetters {
  readonly #redrive: LetterRedrive;

  constructor(
    private readonly table: LetterTable,
    private readonly options: TableDeadLettersOptions = {},
  ) {
    this.#redrive = new LetterRedrive(table, options.seal, options.keyParking);
  }

  bury(letter: DeadLetter): Promise<void> {
    return this.table.insert(letter);
  }

  note(letter: LetterIdentity & Pick<DeadLetter, 'failures'>): Promise<number> {
    return this.table.note(letterKeyOf(letter), letter.failures);
  }

  forget(letter: LetterIdentity): Promise<void> {
    return this.table.forget(letterKeyOf(letter));
  }

  async list(options: ListOptions = {}): Promise<readonly LetterSummary[]> {
    const { limit, after, order, ...filter } = parseOptions('deadLetters.list', listSchema, options);
    const found: LetterSummary[] = [];
    for (let from: string | undefined = after ?? NO_ID[order]; from !== undefined && found.length < limit;) {
      const { letters, next } = await this.table.list(filter, order, from, limit - found.length);
      found.push(...letters);
      from = next;
    }
    return found;
  }

  async groups(options: GroupOptions = {}): Promise<readonly LetterGroup[]> {
    const { by, after, limit, countTo } = parseOptions('deadLetters.groups', groupsSchema, options);
    return this.table.groups(by, after, limit, countTo);
  }

  async find(id: string): Promise<StoredLetter | undefined> {
    const letter = await this.#find(id);
    return letter && { ...letter, audit: await this.table.audit(id) };
  }

  async edit(id: string, options: EditOptions): Promise<EditResult> {
    const { by, reason, payload, headers } = parseOptions('deadLetters.edit', editSchema, options);
    const letter = await this.#find(id);
    if (!letter) return { outcome: 'unknown' };
    const bytes = typeof payload === 'string' ? Buffer.from(payload, 'utf8') : payload;
    if (bytes) await this.#checkEdit(letter, bytes);
    const taken = await this.#takeBack(letter, by, reason);
    if (taken) return taken;
    if (await this.table.edit(id, { payload: bytes ?? null, headers: headers ?? null, by, reason })) {
      return { outcome: 'edited' };
    }
    const now = await this.#find(id);
    if (!now) return { outcome: 'unknown' };
    return now.status === 'redriving' ? { outcome: 'redriving' } : { outcome: 'settled', status: now.status };
  }

  async discard(id: string, decision: Decision): Promise<DiscardResult> {
    const { by, reason } = parseOptions('deadLetters.discard', decisionSchema, decision);
    const letter = await this.#find(id);
    if (!letter) return { outcome: 'unknown' };
    const open = letter.status === 'dead' || letter.status === 'redriving';
    if (open && (await this.#redrive.sealed(letter)) === 'handled') return this.#foundHandled(letter);
    const discarded = open && (await this.table.discard(id, by, reason));
    const now = discarded ? 'discarded' : (await this.#find(id))?.status;
    if (now === undefined) return { outcome: 'unknown' };
    // Also when it was discarded before: a crash may have come between.
    if (now === 'discarded') await this.#redrive.leave(letter);
    return discarded ? { outcome: 'discarded' } : { outcome: 'settled', status: now };
  }

  export(filter: LetterFilter = {}): AsyncIterable<string> {
    return exportedLetters(this, filter);
  }

  async import(
    lines: AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>,
    decision: Decision,
  ): Promise<ImportReport> {
    return this.table.import(lines, parseOptions('deadLetters.import', decisionSchema, decision));
  }

  async purge(options: { readonly olderThanMs: number }): Promise<PurgeReport> {
    const { olderThanMs } = parseOptions('deadLetters.purge', purgeSchema, options);
    return {
      letters: await inPages((limit) => this.table.deleteSettled(olderThanMs, limit)),
      failures: await inPages((limit) => this.table.deleteOldFailures(olderThanMs, limit)),
    };
  }

  async redrive(
    id: string,
    publisherOf: (transport: string) => Publisher | undefined,
    ofJob?: RedriveOfJob,
  ): Promise<RedriveResult> {
    return idSchema.safeParse(id).success ? this.#redrive.redrive(id, publisherOf, ofJob) : { outcome: 'unknown' };
  }

  async #find(id: string): Promise<FoundLetter | undefined> {
    return idSchema.safeParse(id).success ? this.table.find(id) : undefined;
  }

  async #checkEdit(letter: FoundLetter, payload: Uint8Array): Promise<void> {
    const fits = await this.options.checkContract?.({ ...letter.message, payload }).catch((cause: unknown) => {
      throw new LetterEditError(letter.id, `expected a payload that fits its contract, found: ${String(cause)}`, {
        cause,
      });
    });
    const { key } = letter.message;
    if (fits && key !== null && fits.key !== key) {
      throw new LetterEditError(
        letter.id,
        `expected a payload of key ${JSON.stringify(key)}, found one of key ${JSON.stringify(fits.key)}; it would be handled out of ` +
          'order. Publish a new message and discard this letter',
      );
    }
  }

  /** Makes a letter dead again whose redrive has begun; an answer when it cannot be edited. */
  async #takeBack(letter: FoundLetter, by: string, reason: string): Promise<EditResult | undefined> {
    const { id, status, direction, redrive } = letter;
    if (status !== 'redriving') return undefined;
    if (direction === 'outbound' || !redrive) return { outcome: 'redriving' };
    if ((await this.#redrive.sealed(letter)) === 'handled') return this.#foundHandled(letter);
    await this.table.reopen(id, redrive.generation, by, reason);
    return undefined;
  }

  async #foundHandled({ id, status }: FoundLetter): Promise<Extract<EditResult, { outcome: 'settled' }>> {
    const now = status === 'redriving' ? 'redriven' : 'handled';
    await this.table.settle(id, status, now);
    return { outcome: 'settled', status: now };
  }
}

/** What a redrive of a letter sends, or would: its edited form where it has one. */
export const messageOf = (letter: FoundLetter): Message => outgoingOf(letter).message;

async function inPages(deletePage: (limit: number) => Promise<number>): Promise<number> {
  for (let all = 0; ;) {
    const deleted = await deletePage(PURGE_PAGE);
    all += deleted;
    if (deleted < PURGE_PAGE) return all;
  }
}
