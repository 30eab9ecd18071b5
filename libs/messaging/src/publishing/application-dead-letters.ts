import type { DeadLetter, KeyParking, Publisher, Store, TidingsLogger } from '@tidings/core';
import { PostgresDeadLetters, type RedriveResult } from '@tidings/dead-letter';
import { inboxEntryOf, type PostgresInbox } from '@tidings/inbox';
import type { TransportRegistry } from './transport-registry';

/** The dead letters of one store, in an application that knows where to send them again. */
export class ApplicationDeadLetters extends PostgresDeadLetters {
  constructor(
    store: Store,
    inbox: PostgresInbox,
    keyParking: KeyParking,
    private readonly transports: TransportRegistry,
    private readonly logger: TidingsLogger,
  ) {
    super(store, { keyParking, seal: (subscription, message) => inbox.seal(inboxEntryOf(subscription, message)) });
  }

  /** The message leaves its transport or its log after this and looks done to everybody else: it is told as an error. */
  override async bury(letter: DeadLetter): Promise<void> {
    await super.bury(letter);
    const { message, direction, place, handler, reason, attempts } = letter;
    this.logger.error(
      { direction, place, handler, type: message.type, message: message.id, attempts, reason },
      'dead-lettered',
    );
  }

  /** As in PostgresDeadLetters; by the application's own transports, connected if need be, unless told otherwise. */
  override redrive(
    id: string,
    publisherOf: (transport: string) => Publisher | undefined = (name) => this.transports.publisher(name),
  ): Promise<RedriveResult> {
    return super.redrive(id, publisherOf);
  }
}
