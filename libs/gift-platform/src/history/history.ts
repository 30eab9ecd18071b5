import { Logger } from '@nestjs/common';
import { Pool } from 'pg';
import type { MessageContext } from '@tidings/core';
import type { AppName } from '../app-name';
import { insertHistory } from './sql/insert-history';

/**
 * - `delivered`: the transport handed a delivery over; nothing has been decided yet.
 * - `handling`: the inbox let it through, the handler's body comes next.
 * - `killed`: its transaction has committed, and the process dies before the transport hears of it.
 * - `settled`: the settlement is on its way to the transport; `detail` is its kind.
 * - `dropped`: confirmed to its sender, and lost.
 * - `rolled-back`: its recheck is out, and its transaction is rolled back.
 */
export type HistoryEvent = 'delivered' | 'handling' | 'killed' | 'settled' | 'dropped' | 'rolled-back';

/**
 * Writes `demo.history`, on connections of its own: a row stays when the handler's transaction rolls back, and when the process is killed right
 * after. Every write is awaited before the delivery goes on, so that the rows' ids are in the order of what happened to one key.
 */
export class History {
  readonly #logger = new Logger(History.name);
  readonly #pool: Pool;

  constructor(
    databaseUrl: string,
    private readonly app: AppName,
    private readonly run: string,
  ) {
    // The server has a row once it answered, whatever becomes of this process; only a crash of the server itself could lose the last of them.
    this.#pool = new Pool({
      connectionString: databaseUrl,
      max: 2,
      options: '-c synchronous_commit=off',
      application_name: `${app} history`,
    });
    this.#pool.on('error', (error) => this.#logger.warn(`an idle connection was lost: ${error.message}`));
  }

  /** Tidings' own messages are about gifts, and none; a broadcast has no effect that could be doubled or lost. */
  concerns({ message, handler }: MessageContext): boolean {
    return !handler.subscription.broadcast && !message.type.startsWith('tidings.');
  }

  async write(
    event: HistoryEvent,
    { message, attempt }: Pick<MessageContext, 'message' | 'attempt'>,
    detail?: string,
  ): Promise<void> {
    const { giftId, roomId, ordinal } = giftOf(message.payload);
    await insertHistory(this.#pool, {
      run: this.run,
      app: this.app,
      event,
      messageId: message.id,
      giftId,
      roomId: roomId ?? message.key,
      ordinal,
      attempt,
      detail: detail ?? null,
    });
  }

  /** A gift of which only the id is known. */
  async writeGift(event: HistoryEvent, giftId: string): Promise<void> {
    const nothing = { roomId: null, ordinal: null, attempt: 1, detail: null };
    await insertHistory(this.#pool, { run: this.run, app: this.app, event, messageId: giftId, giftId, ...nothing });
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}

interface GiftFields {
  readonly giftId: string | null;
  readonly roomId: string | null;
  readonly ordinal: number | null;
}

/** Read from the raw bytes, because the contract's decoding has not happened yet, and a message that is no gift has its row too. */
function giftOf(payload: Uint8Array): GiftFields {
  const none: GiftFields = { giftId: null, roomId: null, ordinal: null };
  try {
    const value: unknown = JSON.parse(Buffer.from(payload).toString('utf8'));
    return typeof value === 'object' && value !== null ? { ...none, ...(value as Partial<GiftFields>) } : none;
  } catch {
    return none;
  }
}
