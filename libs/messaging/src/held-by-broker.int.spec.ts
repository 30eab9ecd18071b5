import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type MessageContext, quoted, silentLogger } from '@tidings/core';
import { managerOf, migrate, typeorm } from '@tidings/database';
import { memory, MemoryBroker } from '@tidings/memory';
import { type CheckBackAnswer, HeldByBrokerError, type Outbox } from '@tidings/outbox';
import { rocketmq, type RocketMqTransport } from '@tidings/rocketmq';
import { describeOn, until } from '@tidings/testing';
import { DataSource } from 'typeorm';
import { getOutboxToken } from './decorators/inject-outbox.decorator';
import { OnCheckBack } from './decorators/on-check-back.decorator';
import { OnMessage } from './decorators/on-message.decorator';
import type { MessagingOptions } from './messaging.options';
import { boot, closeAll, type Gift, GiftSent, rose } from './test-application.fixture';

let handled: string[];
let asked: string[];
let answers: Record<string, CheckBackAnswer>;

@Injectable()
class Payments {
  @OnCheckBack(GiftSent)
  async checkBack(_: Gift, context: MessageContext): Promise<CheckBackAnswer> {
    await managerOf(context).query('select'); // in a transaction of the store
    const { id } = context.message;
    asked.push(id);
    return answers[id] ?? 'unknown';
  }
}

@Injectable()
class Ranking {
  @OnMessage(GiftSent, { group: 'ranking' })
  rank(_: Gift, { message }: MessageContext): void {
    handled.push(message.id);
  }
}

const within = { withinMs: 90_000 }; // a broker asks each 30 s by default

describeOn('postgres', 'outbox.prepare, held by the broker', (database) => {
  const schema = `held_${randomBytes(4).toString('hex')}`;
  let dataSource: DataSource;

  beforeAll(async () => {
    dataSource = await new DataSource({ type: 'postgres', url: database }).initialize();
    await dataSource.query(`create schema ${quoted(schema)}`);
  });
  beforeEach(() => {
    [handled, asked, answers] = [[], [], {}];
  });
  afterEach(closeAll, 60_000);
  afterAll(async () => {
    await dataSource.query(`drop schema ${quoted(schema)} cascade`);
    await dataSource.destroy();
  });

  const options = (main: MessagingOptions['transports'][string]): MessagingOptions => ({
    source: 'spec',
    stores: { default: typeorm(dataSource, { schema }) },
    transports: { main },
    migrate,
    logger: silentLogger,
    checkBack: { afterMs: 50, everyMs: 20 },
  });

  it('is refused where no broker can hold, and in a transaction, and nothing is prepared', async () => {
    const app = await boot(options(memory({ broker: new MemoryBroker() })), { providers: [Payments, Ranking] });
    const outbox = app.get<Outbox>(getOutboxToken());
    const refused = {
      message: expect.stringContaining("heldBy 'broker': expected a route to one transport") as string,
    };
    await expect(outbox.prepare(GiftSent, rose, { heldBy: 'broker' })).rejects.toMatchObject(refused);
    await dataSource.transaction(async (manager) => {
      const preparing = outbox.within(manager).prepare(GiftSent, rose, { heldBy: 'broker' });
      await expect(preparing).rejects.toThrow(HeldByBrokerError);
    });
    expect(await outbox.prepared.undecided()).toEqual([]);
  });

  describeOn('rocketmq', 'by half messages', (url) => {
    const prefix = `held-${randomBytes(4).toString('hex')}`;
    const places: RocketMqTransport[] = [];
    const place = (): RocketMqTransport => {
      const transport = rocketmq({ urls: url, prefix, invisibleMs: 4_000, handBackMs: 0, halfMessages: true });
      places.push(transport);
      return transport;
    };

    afterAll(async () => {
      const remover = place();
      await remover.removeTopic(GiftSent.topic, ['ranking']);
      await remover.close();
      await Promise.all(places.map((each) => each.ended()));
    }, 60_000);

    it('commit delivers and rollback never does; no row is written', async () => {
      const app = await boot(options(place()), { providers: [Payments, Ranking] });
      const outbox = app.get<Outbox>(getOutboxToken());
      const prepare = (id: string) => outbox.prepare(GiftSent, rose, { id, heldBy: 'broker' });
      await (await prepare('undone')).rollback();
      const kept = await prepare('kept');
      expect(handled).toEqual([]);
      await kept.commit();
      await kept.commit();
      await until('the committed one is handled', () => handled.includes('kept'), within);
      expect(await outbox.prepared.undecided()).toEqual([]);
      const rows = await dataSource.query<unknown[]>(`select from ${quoted(schema)}.prepared`);
      expect(rows).toEqual([]);
      expect(handled).toEqual(['kept']);
    }, 120_000);

    it('another process answers for one that is gone; what nobody can answer yet, the store takes over', async () => {
      answers = { paid: 'commit', unpaid: 'rollback' };
      const sender = await boot(options(place()), { providers: [] });
      const outbox = sender.get<Outbox>(getOutboxToken());
      for (const id of ['paid', 'unpaid', 'open']) await outbox.prepare(GiftSent, rose, { id, heldBy: 'broker' });
      await sender.close();

      const other = await boot(options(place()), { providers: [Payments, Ranking] });
      const { prepared } = other.get<Outbox>(getOutboxToken());
      await until('the paid one is handled', () => handled.includes('paid'), within);
      await until(
        'the store asks for the open one again',
        () => asked.filter((id) => id === 'open').length >= 2,
        within,
      );
      answers['open'] = 'commit';
      await until('the open one is handled', () => handled.includes('open'), within);
      expect(await prepared.undecided()).toEqual([]);
      expect(asked).toContain('unpaid');
      expect([...new Set(handled)].sort()).toEqual(['open', 'paid']);
    }, 200_000);
  });
});
