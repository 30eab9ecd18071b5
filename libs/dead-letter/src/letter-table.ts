import type { DeadLetter, FailureRecord, Store } from '@tidings/core';
import type { Decision, ImportReport } from './dead-letters';
import type { CheckedLetterFilter, LetterStatus } from './letter-filter';
import type { GroupedBy, LetterGroup } from './letter-group';
import { importLetters } from './letter-import';
import { beginRedrive } from './sql/begin-redrive';
import { deleteOldFailures } from './sql/delete-old-failures';
import { deleteSettledLetters } from './sql/delete-settled-letters';
import { discardLetter } from './sql/discard-letter';
import { editLetter, type LetterEdit } from './sql/edit-letter';
import { findLetter } from './sql/find-letter';
import { forgetFailures } from './sql/forget-failures';
import { insertLetter } from './sql/insert-letter';
import { listAudit } from './sql/list-audit';
import { listGroups } from './sql/list-groups';
import { type LettersRead, listLetters } from './sql/list-letters';
import { noteFailures } from './sql/note-failures';
import { reopenLetter } from './sql/reopen-letter';
import { settleLetter } from './sql/settle-letter';
import type { AuditEntry, StoredLetter } from './stored-letter';

/** Where letters are kept. Each call is atomic and durable by itself, as the table is; what a false or a page means is told in the statements' files. */
export interface LetterTable {
  insert(letter: DeadLetter): Promise<void>;
  note(letterKey: Buffer, failures: readonly FailureRecord[]): Promise<number>;
  forget(letterKey: Buffer): Promise<void>;
  list(
    filter: CheckedLetterFilter,
    order: 'oldest' | 'newest',
    after: string,
    limit: number,
  ): Promise<Pick<LettersRead, 'letters' | 'next'>>;
  groups(by: GroupedBy, after: string | undefined, limit: number, countTo: number): Promise<readonly LetterGroup[]>;
  find(id: string): Promise<Omit<StoredLetter, 'audit'> | undefined>;
  audit(id: string): Promise<readonly AuditEntry[]>;
  edit(id: string, edit: LetterEdit): Promise<boolean>;
  discard(id: string, by: string, reason: string): Promise<boolean>;
  reopen(id: string, generation: number, by: string, reason: string): Promise<boolean>;
  beginRedrive(id: string, job: string | null): Promise<boolean>;
  settle(id: string, from: LetterStatus, to: LetterStatus): Promise<void>;
  import(
    lines: AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>,
    decision: Decision,
  ): Promise<ImportReport>;
  deleteSettled(olderThanMs: number, limit: number): Promise<number>;
  deleteOldFailures(olderThanMs: number, limit: number): Promise<number>;
}

/** The table in a store's database. */
export const postgresLetters = (store: Store): LetterTable => ({
  insert: (letter) => insertLetter(store, letter),
  note: (letterKey, failures) => noteFailures(store, letterKey, failures),
  forget: (letterKey) => forgetFailures(store, letterKey),
  list: (filter, order, after, limit) => listLetters(store, filter, order, after, limit),
  groups: (by, after, limit, countTo) => listGroups(store, by, after, limit, countTo),
  find: (id) => findLetter(store, id),
  audit: (id) => listAudit(store, id),
  edit: (id, edit) => editLetter(store, id, edit),
  discard: (id, by, reason) => discardLetter(store, id, by, reason),
  reopen: (id, generation, by, reason) => reopenLetter(store, id, generation, by, reason),
  beginRedrive: (id, job) => beginRedrive(store, id, job),
  settle: (id, from, to) => settleLetter(store, id, from, to),
  import: (lines, decision) => importLetters(store, lines, decision),
  deleteSettled: (olderThanMs, limit) => deleteSettledLetters(store, olderThanMs, limit),
  deleteOldFailures: (olderThanMs, limit) => deleteOldFailures(store, olderThanMs, limit),
});
