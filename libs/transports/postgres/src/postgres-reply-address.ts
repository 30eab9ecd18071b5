import { randomUUID } from 'node:crypto';
import {
  asError,
  type Closeable,
  HEADERS,
  type Message,
  type OutgoingMessage,
  PeriodicTask,
  type PublishResult,
  type ReplyAddress,
} from '@tidings/core';
import { deleteExpiredReplies, replyChannel, takeReplies } from '@tidings/postgres-log';
import type { PostgresPublisher } from './postgres-publisher';
import type { ResolvedPostgresOptions } from './postgres.options';

/** Also the longest that a reply waits whose NOTIFY went to a connection that nobody had noticed to be dead. */
const TIDY_MS = 30_000;
/** After a failed look, while the database may be away. */
const AGAIN_MS = 1_000;
const EXPIRED_PAGE = 500;

/**
 * Replies of one process: rows of the table `reply` under an address of its own, told by NOTIFY. A NOTIFY that is lost with its connection costs
 * nothing: the listener says so when it is back, and the table is looked at.
 */
export class PostgresReplyAddress implements ReplyAddress {
  readonly #address = randomUUID();
  readonly #task: PeriodicTask;
  #listening: Closeable | undefined;
  #closed: Promise<void> | undefined;

  constructor(
    private readonly receive: (reply: Message) => void,
    private readonly publisher: PostgresPublisher,
    private readonly options: ResolvedPostgresOptions,
  ) {
    const { clock, logger } = options;
    this.#task = new PeriodicTask({ name: 'replies', everyMs: TIDY_MS, runOnce: () => this.#look(), clock, logger });
  }

  /** Rejects when the database cannot be reached. */
  async open(): Promise<void> {
    this.#listening = await this.options.store.listen(replyChannel(this.#address), () => this.#task.wake());
    this.#task.start();
  }

  async ask(request: OutgoingMessage): Promise<PublishResult> {
    const headers = { ...request.message.headers, [HEADERS.replyTo]: this.#address };
    const [result] = await this.publisher.publish([{ ...request, message: { ...request.message, headers } }]);
    return result!;
  }

  close(): Promise<void> {
    this.#closed ??= (async () => {
      await this.#listening?.close();
      await this.#task.stop();
    })();
    return this.#closed;
  }

  async #look(): Promise<{ again: boolean; nextMs?: number }> {
    const { store, logger } = this.options;
    try {
      for (const taken of await takeReplies(store, this.#address)) {
        const unread = taken instanceof Error ? taken : taken.newer;
        if (unread) logger.warn({ err: unread }, 'a reply cannot be read; its requester will time out');
        else this.receive((taken as { message: Message }).message);
      }
      return { again: (await deleteExpiredReplies(store, EXPIRED_PAGE)) === EXPIRED_PAGE };
    } catch (thrown) {
      logger.warn({ err: asError(thrown) }, 'replies cannot be fetched; trying again');
      return { again: false, nextMs: AGAIN_MS };
    }
  }
}
