import type { DeadLetter } from '@tidings/core';
import type { LetterStatus } from './letter-filter';

/** What somebody did to a letter. */
export interface AuditEntry {
  /** RFC 3339, the database's clock. */
  readonly at: string;
  readonly by: string;
  readonly action: 'edit' | 'reopen' | 'discard' | 'import';
  readonly reason: string;
  /** Of an edit: what it set. Null: left as it was. */
  readonly payload: Uint8Array | null;
  readonly headers: Readonly<Record<string, string>> | null;
}

/** A letter and what became of it. */
export interface StoredLetter extends DeadLetter {
  readonly id: string;
  /** Hexadecimal; the same for each burial and import of this letter, in every store. */
  readonly identity: string;
  readonly status: LetterStatus;
  /** RFC 3339, the database's clock. */
  readonly buriedAt: string;
  /** When it was redriven, found handled or discarded. */
  readonly settledAt: string | null;
  /** What a redrive that has begun sends. */
  readonly redrive: { readonly generation: number; readonly bucket: string | null } | null;
  /** Hexadecimal; the same for letters that failed alike. */
  readonly failureFingerprint: string;
  /** W3C trace id of the message. */
  readonly traceId: string | null;
  /** What a redrive sends instead of the payload. */
  readonly editedPayload: Uint8Array | null;
  /** What a redrive sends instead of the headers. */
  readonly editedHeaders: Readonly<Record<string, string>> | null;
  /** Who did what to it, oldest first. */
  readonly audit: readonly AuditEntry[];
}

/** A letter without what may be large. */
export interface LetterSummary extends Pick<
  StoredLetter,
  | 'id'
  | 'status'
  | 'buriedAt'
  | 'settledAt'
  | 'direction'
  | 'transport'
  | 'place'
  | 'reason'
  | 'attempts'
  | 'failureFingerprint'
  | 'traceId'
> {
  readonly handler: string | null;
  /** Of the last error. */
  readonly errorName: string | null;
  readonly messageId: string;
  readonly source: string;
  readonly type: string;
  readonly topic: string;
  readonly key: string | null;
  readonly generation: number;
  readonly tenant: string | null;
  /** Somebody has edited its payload or headers. */
  readonly edited: boolean;
}
