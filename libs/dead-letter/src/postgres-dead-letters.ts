import { crc32c, type DeadLetter, type OutgoingMessage, parseOptions, type Publisher, type Store } from '@tidings/core';
import { z } from 'zod';
import { RedriveError } from './dead-letter.errors';
import type { DeadLetters, ListOptions, RedriveResult, SealGeneration } from './dead-letters';
import { type LetterIdentity, letterKeyOf } from './letter-key';
import { beginRedrive } from './sql/begin-redrive';
import { findLetter } from './sql/find-letter';
import { forgetFailures } from './sql/forget-failures';
import { insertLetter } from './sql/insert-letter';
import { listLetters } from './sql/list-letters';
import { noteFailures } from './sql/note-failures';
import { settleLetter } from './sql/settle-letter';
import type { LetterSummary, StoredLetter } from './stored-letter';

export interface PostgresDeadLettersOptions {
  /** Seals the generation that a redrive supersedes. Default: none, for groups without an inbox. */
  readonly seal?: SealGeneration;
}

const ID = /^\d{1,18}$/;

const listSchema = z.strictObject({
  limit: z.int().min(1).max(500).default(50),
  after: z.string().regex(ID, 'expected an id of a dead letter').default('0'),
  status: z.array(z.enum(['dead', 'redriving', 'redriven', 'handled', 'discarded'])).default(['dead', 'redriving']),
});

/** Dead letters in a store's database. All statements go by Tidings' own connections: burying must not wait for the handlers' pool. */
export class PostgresDeadLetters implements DeadLetters {
  constructor(
    private readonly store: Store,
    private readonly options: PostgresDeadLettersOptions = {},
  ) {}

  bury(letter: DeadLetter): Promise<void> {
    return insertLetter(this.store, letter);
  }

  note(letter: LetterIdentity & Pick<DeadLetter, 'failures'>): Promise<void> {
    return noteFailures(this.store, letterKeyOf(letter), letter.failures);
  }

  forget(letter: LetterIdentity): Promise<void> {
    return forgetFailures(this.store, letterKeyOf(letter));
  }

  async list(options: ListOptions = {}): Promise<readonly LetterSummary[]> {
    const { limit, after, status } = parseOptions('deadLetters.list', listSchema, options);
    return listLetters(this.store, status, after, limit);
  }

  async find(id: string): Promise<StoredLetter | undefined> {
    return ID.test(id) ? findLetter(this.store, id) : undefined;
  }

  /**
   * dead: seal, store what will be sent → redriving: publish, mark → redriven.
   *
   * A crash after the seal finds the letter dead and seals again, which changes nothing. A crash after anything later finds it redriving and
   * publishes what is stored, so that a copy which did get through is one of the same generation and bucket. Without the seal, a copy that a crash
   * between burial and settlement left at the broker could be handled in the old generation as well as in the new one.
   */
  async redrive(id: string, publisherOf: (transport: string) => Publisher | undefined): Promise<RedriveResult> {
    let letter = await this.find(id);
    if (!letter) return { outcome: 'unknown' };
    const publisher = publisherOf(letter.transport);
    if (!publisher) throw new RedriveError(id, letter.transport);
    if (letter.status === 'dead') {
      if ((await this.#seal(letter)) === 'handled') {
        await settleLetter(this.store, id, 'dead', 'handled');
      } else {
        await beginRedrive(this.store, id);
      }
      letter = (await this.find(id))!;
    }
    if (letter.status !== 'redriving') return { outcome: 'settled', status: letter.status };
    const outgoing = outgoingOf(letter);
    const [result] = await publisher.publish([outgoing]);
    if (result?.outcome === 'failed') return { outcome: 'failed', reason: result.reason, error: result.error };
    await settleLetter(this.store, id, 'redriving', 'redriven');
    return { outcome: 'redriven', generation: outgoing.message.generation };
  }

  async #seal({ direction, place, message }: StoredLetter): Promise<'sealed' | 'handled'> {
    const { seal } = this.options;
    // A corrupt copy must not seal: its fingerprint would make a conflict of the true message, should that still arrive.
    const corrupt = message.crc32c !== null && message.crc32c !== crc32c(message.payload);
    if (!seal || direction === 'outbound' || corrupt) return 'sealed';
    return seal({ group: place, topic: message.topic }, message);
  }
}

function outgoingOf({ direction, place, group, message, redrive, editedPayload }: StoredLetter): OutgoingMessage {
  const payload = editedPayload ?? message.payload;
  const checksum = editedPayload && message.crc32c !== null ? crc32c(editedPayload) : message.crc32c;
  const audience = direction === 'inbound' ? place : group;
  return {
    message: { ...message, payload, crc32c: checksum, ...redrive },
    ...(audience !== undefined && { group: audience }),
  };
}
