import { randomUUID } from 'node:crypto';
import {
  type DeadLetter,
  type DeadLetterSink,
  defineMessage,
  MessageFactory,
  silentLogger,
  type Store,
  systemClock,
  type Transport,
} from '@tidings/core';
import { migrate, typeorm } from '@tidings/database';
import { logOf, type MessageLog, postgresLogMigrations } from '@tidings/postgres-log';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { outboxMigrations } from './migrations';
import { Outbox } from './outbox';
import { OutboxRelay } from './outbox-relay';
import type { OutboxRelayOptions } from './outbox-relay.options';

export const GiftSent = defineMessage('gift.sent', {
  schema: z.object({ giftId: z.string(), roomId: z.string(), n: z.number() }),
  key: (gift) => gift.roomId,
});

export class RecordingSink implements DeadLetterSink {
  readonly letters: DeadLetter[] = [];
  bury(letter: DeadLetter): Promise<void> {
    this.letters.push(letter);
    return Promise.resolve();
  }
}

/** A database of the spec's own schema, with a gift table beside Tidings' tables. */
export class SpecOutbox {
  readonly sink = new RecordingSink();
  readonly #relays: OutboxRelay[] = [];

  private constructor(
    readonly dataSource: DataSource,
    readonly store: Store,
    readonly log: MessageLog,
    readonly schema: string,
  ) {}

  static async open(url: string, schema = `spec_outbox_${randomUUID().slice(0, 8)}`): Promise<SpecOutbox> {
    const dataSource = new DataSource({ type: 'postgres', url, poolSize: 10 });
    await dataSource.initialize();
    const store = typeorm(dataSource, { schema });
    await store.connect();
    await migrate(store, [...postgresLogMigrations, ...outboxMigrations]);
    await dataSource.query(`create table if not exists ${schema}.gift (id text primary key)`);
    return new SpecOutbox(dataSource, store, logOf(store, systemClock, silentLogger), schema);
  }

  outbox(transports: Readonly<Record<string, Transport>>, routes = Object.keys(transports)): Outbox {
    const factory = new MessageFactory('gift-api', systemClock);
    return new Outbox({ log: this.log, factory, transports, routes: () => routes.map((transport) => ({ transport })) });
  }

  relay(transports: Readonly<Record<string, Transport>>, options: OutboxRelayOptions = {}): OutboxRelay {
    const relay = new OutboxRelay({
      log: this.log,
      transports,
      deadLetters: this.sink,
      instance: 'spec',
      clock: systemClock,
      logger: silentLogger,
      options: { leaseMs: 1_000, pollMs: 500, backoffMs: 10, maxBackoffMs: 50, ...options },
    });
    this.#relays.push(relay);
    return relay;
  }

  async rows(): Promise<number> {
    const [row] = await this.dataSource.query<{ n: number }[]>(`select count(*)::int as n from ${this.schema}.message`);
    return row!.n;
  }

  async close(): Promise<void> {
    await Promise.all(this.#relays.map((relay) => relay.stop()));
    await this.dataSource.query(`drop schema ${this.schema} cascade`);
    await this.store.close();
    await this.dataSource.destroy();
  }
}
