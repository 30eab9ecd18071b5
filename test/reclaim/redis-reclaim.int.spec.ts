import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type MessageContext, type ReclaimReport, quoted } from '@tidings/core';
import { migrate, pg } from '@tidings/database';
import { ApplicationDeadLetters, MessagingModule, OnMessage } from '@tidings/messaging';
import { type RedisOptions, redis, type RedisTransport } from '@tidings/redis';
import { describeOn, Gate, server, TcpProxy, testMessage, until } from '@tidings/testing';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { boot, closeAll, GiftSent, inMemory } from '../../libs/messaging/src/test-application.fixture';

const GROUP = 'ranking';
const PATIENCE = { withinMs: 20_000 };

let handle: (gift: unknown, context: MessageContext) => Promise<void>;

@Injectable()
class RankGift {
  @OnMessage(GiftSent, { group: GROUP, level: 'atLeastOnce', concurrency: 8 })
  rank(gift: unknown, context: MessageContext): Promise<void> {
    return handle(gift, context);
  }
}

describeOn('redis', 'Reclaim on the schedule of an application', (url) => {
  let prefix: string;
  let proxy: TcpProxy;
  let admin: Redis;
  let pool: Pool;
  let atLast: Gate;
  const stream = () => `${prefix}:{${GiftSent.topic}}:0`;

  beforeEach(async () => {
    prefix = `reclaim-${randomBytes(4).toString('hex')}`;
    atLast = new Gate();
    proxy = await TcpProxy.to(url);
    admin = new Redis(url);
    pool = new Pool({ connectionString: server('postgres'), max: 6 });
  });
  afterEach(async () => {
    atLast.open();
    await closeAll();
    const cleaner = redis({ urls: url, prefix });
    await cleaner.removeTopic(GiftSent.topic, [GROUP]);
    await cleaner.close();
    await pool.query(`drop schema if exists ${quoted(schema())} cascade`);
    await Promise.all([pool.end(), proxy.close()]);
    admin.disconnect();
  }, 60_000);

  const schema = () => prefix.replace('-', '_');
  /** Its own schedule never comes. */
  const transport = (options: Partial<RedisOptions> = {}): RedisTransport =>
    redis({ urls: url, prefix, streams: 1, leaseMs: 1_000, reclaimEveryMs: 600_000, reclaimIdleMs: 0, ...options });

  /** An application whose handlers take `count` messages and whose connections then end for good, with nothing acknowledged. */
  async function diesWith(count: number): Promise<string[]> {
    let taken = 0;
    handle = () => ((taken += 1), atLast.opened);
    const dying = transport({ urls: proxy.url, drainMs: 0 });
    await boot(MessagingModule.forRoot(inMemory({ transports: { main: dying } })), { providers: [RankGift] });
    const sender = transport();
    await sender.connect();
    const messages = Array.from({ length: count }, (_, coins) => testMessage({ topic: GiftSent.topic, payload: { room: 'r1', coins } })); // prettier-ignore
    await sender.publish(messages.map((message) => ({ message })));
    await sender.close();
    await until('all are in its handlers', () => taken === count);
    proxy.down();
    return messages.map(({ id }) => id);
  }

  /** Another instance, whose scheduler asks every second whether a run is due. */
  async function another(reports: ReclaimReport[], options: Partial<RedisOptions> = {}) {
    const main = transport(options);
    const watched = {
      name: main.reclaimer.name,
      reclaim: async () => {
        const report = await main.reclaimer.reclaim();
        reports.push(report);
        return report;
      },
    };
    return boot(
      MessagingModule.forRoot(
        inMemory({
          stores: { default: pg(pool, { schema: schema(), connections: 2 }) },
          transports: { main },
          migrate,
          reclaim: { everyMs: 1_000, reclaimers: [watched] },
        }),
      ),
      { providers: [RankGift] },
    );
  }
  const consumers = async (): Promise<string[]> =>
    ((await admin.xinfo('CONSUMERS', stream(), GROUP)) as string[][]).map((words) => words[1]!);

  it('what a dead instance held is handled by another, once, and the dead consumer goes', async () => {
    const ids = await diesWith(6);
    const [dead] = await consumers();
    const handled: MessageContext[] = [];
    handle = (_, context) => Promise.resolve(void handled.push(context));
    const reports: ReclaimReport[] = [];
    await another(reports);
    await another(reports);
    await until('all are handled', () => handled.length >= ids.length, PATIENCE);
    await until('the dead consumer is gone', async () => !(await consumers()).includes(dead!), PATIENCE);
    expect(handled.map(({ message }) => message.id).sort()).toEqual([...ids].sort());
    expect(handled.every(({ attempt }) => attempt === 2)).toBe(true);
    const sum = (count: (report: ReclaimReport) => number): number => reports.reduce((all, report) => all + count(report), 0); // prettier-ignore
    expect(sum(({ reclaimed }) => reclaimed)).toBe(ids.length); // two instances, each entry taken back by one
    expect(sum(({ detail }) => detail!['consumers']!)).toBeGreaterThan(0);
    expect(((await admin.xpending(stream(), GROUP)) as [number])[0]).toBe(0);
  }, 60_000);

  it('what too many died with is a dead letter of the application, and Redis keeps it no longer', async () => {
    const [id] = await diesWith(1);
    let handled = 0;
    handle = () => Promise.resolve(void (handled += 1));
    const app = await another([], { poisonAfter: 1 });
    const letters = app.get(ApplicationDeadLetters);
    await until('it is buried', async () => (await letters.list()).length > 0, PATIENCE);
    const [letter] = await letters.list();
    expect(letter).toMatchObject({ messageId: id });
    const kept = () => Promise.all([`${stream()}`, `${prefix}:{${GiftSent.topic}}:g:${GROUP}:dead`].map((key) => admin.xlen(key))); // prettier-ignore
    await until('no entry of it is left', async () => (await kept()).every((length) => length === 0), PATIENCE);
    expect(handled).toBe(0);
  }, 60_000);
});
