import { randomBytes } from 'node:crypto';
import { type CanActivate, type ExecutionContext, Injectable, UseGuards, UseInterceptors } from '@nestjs/common';
import { defineMessage, type MessageContext, quoted, type Store, type Transport } from '@tidings/core';
import { managerOf, migrate, typeorm } from '@tidings/database';
import { ApplicationDeadLetters, InjectOutbox, messageContextOf, MessagingModule, type MessagingOptions, never, OnMessage, Outbox } from '@tidings/messaging'; // prettier-ignore
import { until } from '@tidings/testing';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { boot, inMemory } from '../../libs/messaging/src/test-application.fixture';

export const GiftSent = defineMessage('gift.sent', {
  schema: z.object({ room: z.string(), coins: z.number().int() }),
  key: ({ room }) => room,
});
export const RankChanged = defineMessage('rank.changed', { schema: z.object({ room: z.string() }) });

export interface Gift {
  readonly room: string;
  readonly coins: number;
}

/** What the handlers do and did; one test at a time. */
export const scene = {
  /** Coins that ranking cannot bear. */
  broken: (_coins: number): boolean => false,
  allowed: true,
  committed: 0,
  awarded: 0,
  intercepted: 0,
};

class Allowed implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return scene.allowed && messageContextOf(context).message.type === GiftSent.type;
  }
}

@Injectable()
export class Handlers {
  constructor(@InjectOutbox() private readonly outbox: Outbox) {}

  @OnMessage(GiftSent, { group: 'ranking', ordered: true, dryRun: true, retry: never() })
  async rank({ room, coins }: Gift, context: MessageContext): Promise<void> {
    await managerOf(context).query('insert into ranking (room, coins) values ($1, $2)', [room, coins]);
    await this.outbox.within(context.transaction).publish(RankChanged, { room });
    context.transaction?.afterCommit(() => (scene.committed += 1));
    if (scene.broken(coins)) throw new TypeError(`cannot rank ${coins} coins`);
  }

  @OnMessage(GiftSent, { group: 'badges', retry: never() })
  @UseGuards(Allowed)
  @UseInterceptors({ intercept: (_context, next) => ((scene.intercepted += 1), next.handle()) })
  award(): void {
    scene.awarded += 1;
  }

  @OnMessage(RankChanged, { group: 'screens' })
  async show({ room }: { room: string }, context: MessageContext): Promise<void> {
    await managerOf(context).query('insert into screen (room) values ($1)', [room]);
  }
}

/** A real application on a schema of its own. */
export class RedriveApplication {
  private constructor(
    readonly dataSource: DataSource,
    readonly store: Store,
    readonly outbox: Outbox,
    readonly letters: ApplicationDeadLetters,
  ) {}

  static async start(
    url: string,
    transportOf: (store: Store) => Transport,
    more: Partial<MessagingOptions> = {},
  ): Promise<RedriveApplication> {
    Object.assign(scene, { broken: () => false, allowed: true, committed: 0, awarded: 0, intercepted: 0 });
    const schema = `redrive_app_${randomBytes(4).toString('hex')}`;
    const dataSource = new DataSource({
      type: 'postgres',
      url,
      extra: { options: `-c search_path=${schema}`, max: 6 },
    });
    await dataSource.initialize();
    await dataSource.query(`create schema ${quoted(schema)}`);
    await dataSource.query('create table known_room (room text primary key)');
    await dataSource.query("insert into known_room select 'r' || n from generate_series(0, 20) n");
    await dataSource.query(
      'create table ranking (n bigserial, room text references known_room deferrable initially deferred, coins int)',
    );
    await dataSource.query('create table screen (room text)');
    const store = typeorm(dataSource, { schema });
    const options = inMemory({
      stores: { default: store },
      transports: { main: transportOf(store) },
      migrate,
      ...more,
    });
    const app = await boot(MessagingModule.forRoot(options), { providers: [Handlers] });
    return new RedriveApplication(dataSource, store, app.get(Outbox), app.get(ApplicationDeadLetters));
  }

  /** After the application itself has been closed. */
  async drop(): Promise<void> {
    await this.dataSource.query(`drop schema ${quoted(this.store.schema)} cascade`);
    await this.dataSource.destroy();
  }

  async send(...gifts: readonly Gift[]): Promise<void> {
    for (const gift of gifts)
      await this.dataSource.transaction((manager) => this.outbox.within(manager).publish(GiftSent, gift));
  }

  async buried(count: number, place = 'ranking'): Promise<void> {
    await until(`${count} letters of ${place}`, async () => (await this.letters.list({ place })).length === count, { withinMs: 60_000 }); // prettier-ignore
  }

  async rows<Row>(text: string): Promise<Row[]> {
    return this.dataSource.query<Row[]>(text);
  }

  async ranked(count: number): Promise<Gift[]> {
    let rows: Gift[] = [];
    await until(`${count} gifts ranked`, async () => (rows = await this.rows<Gift>('select room, coins from ranking order by n')).length >= count, { withinMs: 60_000 }); // prettier-ignore
    return rows;
  }
}
