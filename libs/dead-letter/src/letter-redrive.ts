import { crc32c, type KeyParking, type OutgoingMessage, type Publisher } from '@tidings/core';
import { RedriveError } from './dead-letter.errors';
import type { RedriveResult, SealGeneration } from './dead-letters';
import type { LetterTable } from './letter-table';
import type { StoredLetter } from './stored-letter';

export type PublisherOf = (transport: string) => Publisher | undefined;
export type FoundLetter = Omit<StoredLetter, 'audit'>;

/** The job that a redrive belongs to. */
export interface RedriveOfJob {
  readonly job: string;
  /** Marks the letter redriven, together with the job's progress. */
  readonly settle: (letter: string) => Promise<void>;
}

/**
 * Sends one letter again.
 *
 * dead: seal, store what will be sent → redriving: publish, mark → redriven.
 *
 * A crash after the seal finds the letter dead and seals again, which changes nothing. A crash after anything later finds it redriving and
 * publishes what is stored, so that a copy which did get through is one of the same generation and bucket. Without the seal, a copy that a crash
 * between burial and settlement left at the broker could be handled in the old generation as well as in the new one.
 */
export class LetterRedrive {
  constructor(
    private readonly table: Pick<LetterTable, 'find' | 'settle' | 'beginRedrive'>,
    private readonly seal: SealGeneration | undefined,
    private readonly keyParking: KeyParking | undefined,
  ) {}

  async redrive(id: string, publisherOf: PublisherOf, ofJob?: RedriveOfJob): Promise<RedriveResult> {
    let letter = await this.table.find(id);
    if (!letter) return { outcome: 'unknown' };
    const publisher = publisherOf(letter.transport);
    if (!publisher) throw new RedriveError(id, letter.transport);
    if (letter.status === 'dead') {
      if ((await this.sealed(letter)) === 'handled') {
        await this.table.settle(id, 'dead', 'handled');
        await this.leave(letter);
      } else await this.table.beginRedrive(id, ofJob?.job ?? null);
      letter = await this.table.find(id);
      if (!letter) return { outcome: 'unknown' };
    }
    const outgoing = outgoingOf(letter);
    if (letter.status !== 'redriving') {
      // Redriven in the moment between its burial and the parking of its key: nobody else would let that key go on.
      const stuck = letter.status === 'redriven' && letter.direction === 'outbound';
      if (stuck && (await this.#resume(letter, outgoing)) === 'resumed')
        return { outcome: 'redriven', generation: outgoing.message.generation };
      return { outcome: 'settled', status: letter.status };
    }
    if ((await this.#resume(letter, outgoing)) === 'not-parked') {
      const [result] = await publisher.publish([outgoing]);
      if (result?.outcome === 'failed') return { outcome: 'failed', reason: result.reason, error: result.error };
    }
    if (ofJob) await ofJob.settle(id);
    else await this.table.settle(id, 'redriving', 'redriven');
    return { outcome: 'redriven', generation: outgoing.message.generation };
  }

  /** Makes sure that what the letter's group may still have of it takes no effect; `handled` when it did. */
  async sealed(letter: FoundLetter): Promise<'sealed' | 'handled'> {
    const message = letter.status === 'redriving' ? outgoingOf(letter).message : letter.message;
    // A corrupt copy must not seal: its fingerprint would make a conflict of the true message, should that still arrive.
    const corrupt = message.crc32c !== null && message.crc32c !== crc32c(message.payload);
    if (!this.seal || letter.direction === 'outbound' || corrupt) return 'sealed';
    return this.seal({ group: letter.place, topic: message.topic }, message);
  }

  /** Lets a key go on that is parked behind the letter. */
  async leave({ direction, place, message }: FoundLetter): Promise<void> {
    await this.keyParking?.resume({ direction, place, message }, { kind: 'discard' });
  }

  async #resume({ direction, place, message }: FoundLetter, again: OutgoingMessage): Promise<'resumed' | 'not-parked'> {
    if (!this.keyParking) return 'not-parked';
    return this.keyParking.resume({ direction, place, message }, { kind: 'again', message: again.message });
  }
}

/** What a redrive of the letter sends, once that is stored. */
export function outgoingOf({
  direction,
  place,
  group,
  message,
  redrive,
  editedPayload,
  editedHeaders,
}: FoundLetter): OutgoingMessage {
  const payload = editedPayload ?? message.payload;
  const checksum = editedPayload && message.crc32c !== null ? crc32c(editedPayload) : message.crc32c;
  const audience = direction === 'inbound' ? place : group;
  return {
    message: { ...message, payload, crc32c: checksum, headers: editedHeaders ?? message.headers, ...redrive },
    ...(audience !== undefined && { group: audience }),
  };
}
