import type { DeliveryBatch } from '../handling/delivery-batch';

/**
 * One fact on its way from a service to others. Immutable; every transport carries all of it (docs/wire-format.md).
 *
 * Field names follow CloudEvents 1.0 where it has one: `id` + `source` identify the message, `type` names the fact.
 */
export interface Message {
  /** Any string; unique within `source`. UUIDv7 by default. */
  readonly id: string;
  /** The service that published it. */
  readonly source: string;
  /** The contract's type, as `gift.sent`. */
  readonly type: string;
  /** The contract's version, 1 or more. */
  readonly version: number;
  /** Where it is published: an exchange, a stream, a log's topic. The contract's type unless the contract says otherwise. */
  readonly topic: string;
  /** Messages of one key keep their order (ARCHITECTURE.md, "Order, defined"). Null: no order asked. */
  readonly key: string | null;
  /** The database's time at publish where there is a database, RFC 3339. */
  readonly time: string;
  readonly contentType: string;
  /** The codec's exact bytes: checksums and signatures are over these, so nothing on the way may re-encode them. */
  readonly payload: Uint8Array;
  /**
   * The date (YYYY-MM-DD) by which the inbox files this message: publish's date, or `deliverAt`'s when later. It travels with the message,
   * so that a late redelivery still finds the row of the first one. Null on a foreign message.
   */
  readonly bucket: string | null;
  /** Raised by each redrive, so that the inbox handles a redriven message once more, and once only. */
  readonly generation: number;
  /** CRC-32C of `payload`, stamped by the publisher. Null on a foreign message. */
  readonly crc32c: number | null;
  /** The user's own, and the reserved ones of `headers.ts`. Values are any Unicode text. Frozen at delivery: a retry must carry what was published. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Where a relay had got to when it sent a copy; see `sequence` in docs/wire-format.md. */
export interface Stamp {
  /** The running count of the message's lane at its destination. A gap or a swap is an alarm. */
  readonly sequence: number;
  /** Raised whenever another relay takes the lane over. */
  readonly epoch: number;
  /** The first sequence that this epoch sent. */
  readonly epochStart: number;
}

/** A message and where it goes. */
export interface OutgoingMessage {
  readonly message: Message;
  /** Only this group receives it: a retry or a redrive goes to the group that failed, never to the whole topic. */
  readonly group?: string;
  /** How often this message was already tried by `group`; the next delivery's attempt is one more. Default 0. */
  readonly attempts?: number;
  /** Not before this many milliseconds from now. Needs the capability `delay`. Default 0. */
  readonly delayMs?: number;
  readonly stamp?: Stamp;
  /** `optional`: nobody need be listening. `required` (the default): to reach no queue at all is the failure `unroutable`. */
  readonly route?: 'required' | 'optional';
}

/** One attempt to hand a message to one group. */
export interface Delivery {
  readonly message: Message;
  /** 1 for the first; true across processes as far as the transport's capability `attempts` says. */
  readonly attempt: number;
  /** True when an earlier delivery of the same message may have reached a handler. */
  readonly redelivered: boolean;
  readonly stamp?: Stamp;
  /** Those that it was handed over with. Of lanes' making. */
  readonly batch?: DeliveryBatch;
}
