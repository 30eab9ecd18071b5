import { type Clock, dateOf, type DeadLetter, type FailureRecord, systemClock, timestampOf } from '@tidings/core';
import type { Decision, ImportReport } from './dead-letters';
import type { LetterStatus } from './letter-filter';
import type { GroupedBy, LetterGroup } from './letter-group';
import { linesOf } from './letter-import';
import { letterKeyOf } from './letter-key';
import { letterOfLine } from './letter-line';
import { fits, groupedAs, type MemoryLetter, memoryLetterOf, summaryOf } from './memory-letter';
import type { LetterTable } from './letter-table';
import { type LetterShelf, memoryRedrives } from './memory-redrives';
import type { RedriveTable } from './redrive-table';
import type { AuditEntry } from './stored-letter';
import { storedFailures } from './stored-failures';

interface Note {
  readonly key: string;
  readonly at: number;
  readonly failures: readonly FailureRecord[];
}

/** Dead letters in the memory of this process, for tests: they die with it. `redrives`: the jobs on them. */
export const memoryLetters = (clock: Clock = systemClock): LetterTable & { readonly redrives: RedriveTable } =>
  new MemoryLetters(clock);

class MemoryLetters implements LetterTable, LetterShelf {
  readonly redrives: RedriveTable;
  readonly #letters = new Map<string, MemoryLetter>();
  #notes: Note[] = [];
  #lastId = 0;

  constructor(private readonly clock: Clock) {
    this.redrives = memoryRedrives(this, clock);
  }

  get all(): readonly MemoryLetter[] {
    return [...this.#letters.values()];
  }

  async insert(letter: DeadLetter): Promise<void> {
    const key = letterKeyOf(letter).toString('hex');
    const noted = this.#notes.filter((note) => note.key === key).flatMap(({ failures }) => failures);
    this.#notes = this.#notes.filter((note) => note.key !== key);
    const filed = memoryLetterOf(letter, key, [...noted, ...letter.failures], this.#now());
    if (!this.#add(filed)) this.#failedAgain(filed);
  }

  async note(letterKey: Buffer, failures: readonly FailureRecord[]): Promise<number> {
    const [key, at] = [letterKey.toString('hex'), this.clock.now()];
    const first = this.#notes.find((note) => note.key === key);
    this.#notes.push({ key, at, failures: JSON.parse(storedFailures(failures)) as FailureRecord[] });
    return first ? Math.max(at - first.at, 0.001) : 0; // as in a database, whose clock never stands still: a later note is later
  }

  async forget(letterKey: Buffer): Promise<void> {
    const key = letterKey.toString('hex');
    this.#notes = this.#notes.filter((note) => note.key !== key);
  }

  async list(...[filter, order, after, limit]: Parameters<LetterTable['list']>) {
    const ordered = order === 'oldest' ? [...this.#letters.values()] : [...this.#letters.values()].reverse();
    const beyond = (id: string): boolean => (order === 'oldest' ? BigInt(id) > BigInt(after) : BigInt(id) < BigInt(after)); // prettier-ignore
    const found = ordered.filter((letter) => beyond(letter.id) && fits(letter, filter));
    return { letters: found.slice(0, limit).map(summaryOf), next: undefined };
  }

  async groups(by: GroupedBy, after: string | undefined, limit: number, countTo: number): Promise<LetterGroup[]> {
    const groups = new Map<string, MemoryLetter[]>();
    for (const letter of this.#letters.values()) {
      if (letter.settledAt !== null) continue;
      const value = groupedAs(letter, by);
      groups.set(value, [...(groups.get(value) ?? []), letter]);
    }
    const page = [...groups].filter(([value]) => after === undefined || value > after).sort(([a], [b]) => (a < b ? -1 : 1)); // prettier-ignore
    return page.slice(0, limit).map(([value, letters]) => {
      const [first, last] = [letters[0]!, letters.at(-1)!];
      const { id, type, place, reason, errorName } = summaryOf(last);
      return {
        by,
        value,
        count: Math.min(letters.length, countTo),
        orMore: letters.length >= countTo,
        firstAt: first.buriedAt,
        lastAt: last.buriedAt,
        example: { id, type, place, reason, errorName },
      };
    });
  }

  async find(id: string) {
    const letter = this.#letters.get(id);
    if (!letter) return undefined;
    const { audit: _audit, tenant: _tenant, position: _position, job: _job, ...found } = letter;
    return found;
  }

  async audit(id: string): Promise<readonly AuditEntry[]> {
    return [...(this.#letters.get(id)?.audit ?? [])];
  }

  async edit(...[id, { payload, headers, by, reason }]: Parameters<LetterTable['edit']>): Promise<boolean> {
    const bytes = payload && Buffer.from(payload);
    return this.#change(
      id,
      ['dead'],
      ({ editedPayload, editedHeaders }) => ({ editedPayload: bytes ?? editedPayload, editedHeaders: headers ?? editedHeaders }), // prettier-ignore
      { by, reason, action: 'edit', payload: bytes, headers },
    );
  }

  async discard(id: string, by: string, reason: string): Promise<boolean> {
    const settledAt = this.#now();
    return this.#change(id, ['dead', 'redriving'], () => ({ status: 'discarded', settledAt }), { by, reason, action: 'discard' }); // prettier-ignore
  }

  async reopen(id: string, generation: number, by: string, reason: string): Promise<boolean> {
    if (this.#letters.get(id)?.redrive?.generation !== generation) return false;
    return this.#change(
      id,
      ['redriving'],
      ({ message }) => ({ status: 'dead', redrive: null, message: { ...message, generation } }),
      { by, reason, action: 'reopen' },
    );
  }

  async beginRedrive(id: string, job: string | null): Promise<boolean> {
    const today = dateOf(this.clock.now());
    return this.#change(id, ['dead'], ({ direction, message: { generation, bucket } }) => ({
      status: 'redriving',
      job,
      redrive: direction === 'inbound' ? { generation: generation + 1, bucket: today } : { generation, bucket },
    }));
  }

  async settle(id: string, from: LetterStatus, to: LetterStatus): Promise<void> {
    const settledAt = this.#now();
    this.#change(id, [from], () => ({ status: to, settledAt }));
  }

  redriven(id: string, job: string): void {
    const settledAt = this.#now();
    this.#change(id, ['redriving'], () => ({ status: 'redriven', settledAt, job }));
  }

  async import(lines: Parameters<LetterTable['import']>[0], decision: Decision): Promise<ImportReport> {
    const letters: MemoryLetter[] = [];
    let line = 0;
    for await (const text of linesOf(lines)) {
      line += 1;
      if (text.trim() === '') continue;
      const { identity, audit, ...letter } = letterOfLine(text, line);
      const imported = { at: this.#now(), ...decision, action: 'import', payload: null, headers: null } as const;
      const filed = memoryLetterOf(letter, identity, letter.failures, letter.buriedAt);
      letters.push({ ...filed, ...letter, audit: [...audit, imported] });
    }
    const imported = letters.filter((letter) => this.#add(letter)).length;
    return { imported, known: letters.length - imported };
  }

  async deleteSettled(olderThanMs: number, limit: number): Promise<number> {
    const before = timestampOf(this.clock.now() - olderThanMs);
    const gone = [...this.#letters.values()].filter(({ settledAt }) => settledAt !== null && settledAt <= before).slice(0, limit); // prettier-ignore
    for (const { id } of gone) this.#letters.delete(id);
    return gone.length;
  }

  async deleteOldFailures(olderThanMs: number, limit: number): Promise<number> {
    const before = this.clock.now() - olderThanMs;
    const gone = new Set(this.#notes.filter(({ at }) => at <= before).slice(0, limit));
    this.#notes = this.#notes.filter((note) => !gone.has(note));
    return gone.size;
  }

  #now(): string {
    return timestampOf(this.clock.now());
  }

  /** False when a letter of this identity is filed already. */
  #add(letter: MemoryLetter): boolean {
    for (const { identity } of this.#letters.values()) if (identity === letter.identity) return false;
    const id = String(++this.#lastId);
    const first = this.all.find((one) => isEarlier(one, letter));
    this.#letters.set(id, { ...letter, id, position: first?.position ?? id });
    return true;
  }

  /** An outbound one is redriven in the generation that it had: it is the same letter that waits again. */
  #failedAgain({ identity, failureFingerprint, reason, attempts, failures }: MemoryLetter): void {
    const filed = this.all.find((one) => one.identity === identity)!;
    if (filed.direction === 'inbound') return;
    const again = { status: 'dead', settledAt: null, redrive: null, job: null, failureFingerprint, reason } as const;
    const story = { attempts: filed.attempts + attempts, failures: [...filed.failures, ...failures] };
    this.#change(filed.id, ['redriving', 'redriven'], () => ({ ...again, ...story }));
  }

  /** False when there is no such letter, or in none of these states. */
  #change(
    id: string,
    from: readonly LetterStatus[],
    to: (letter: MemoryLetter) => Partial<MemoryLetter>,
    told?: Pick<AuditEntry, 'by' | 'reason' | 'action'> & Partial<AuditEntry>,
  ): boolean {
    const letter = this.#letters.get(id);
    if (!letter || !from.includes(letter.status)) return false;
    const audit = told ? [...letter.audit, { at: this.#now(), payload: null, headers: null, ...told }] : letter.audit;
    this.#letters.set(id, { ...letter, ...to(letter), audit });
    return true;
  }
}

/** Of the same message at the same place, before a redrive of it. */
const isEarlier = (one: MemoryLetter, { message, place, direction }: MemoryLetter): boolean =>
  one.message.id === message.id &&
  one.message.source === message.source &&
  one.message.topic === message.topic &&
  one.place === place &&
  one.direction === direction &&
  one.message.generation < message.generation;
