import type { DeadLetter } from '@tidings/core';

/**
 * - `dead`: waits for a person.
 * - `redriving`: a redrive has begun and did not end (or is under way); redrive it again.
 * - `redriven`: sent again. Should it fail again, that is another letter.
 * - `handled`: a late copy of it took effect; there is nothing to redrive.
 * - `discarded`: a person decided against it.
 */
export type LetterStatus = 'dead' | 'redriving' | 'redriven' | 'handled' | 'discarded';

/** A letter and what became of it. */
export interface StoredLetter extends DeadLetter {
  readonly id: string;
  readonly status: LetterStatus;
  /** RFC 3339, the database's clock. */
  readonly buriedAt: string;
  /** When it was redriven, found handled or discarded. */
  readonly settledAt: string | null;
  /** What a redrive that has begun sends. */
  readonly redrive: { readonly generation: number; readonly bucket: string | null } | null;
  /** Hexadecimal; the same for letters that failed alike. */
  readonly failureFingerprint: string;
  /** What a redrive sends instead of the payload. */
  readonly editedPayload: Uint8Array | null;
}

/** A letter without what may be large. */
export interface LetterSummary extends Pick<
  StoredLetter,
  'id' | 'status' | 'buriedAt' | 'settledAt' | 'direction' | 'transport' | 'place' | 'reason' | 'attempts'
> {
  readonly handler: string | null;
  readonly failureFingerprint: string;
  readonly messageId: string;
  readonly source: string;
  readonly type: string;
  readonly topic: string;
  readonly key: string | null;
  readonly generation: number;
  readonly tenant: string | null;
}
