import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { fixed, quoted, silentLogger, systemClock } from '@tidings/core';
import { migrate, typeorm } from '@tidings/database';
import { memory } from '@tidings/memory';
import { describeOn, until } from '@tidings/testing';
import { DataSource } from 'typeorm';
import { OnMessage, type OnMessageOptions } from '../decorators/on-message.decorator';
import { MessagePublisher } from '../publishing/message-publisher';
import { boot, closeAll, type Gift, GiftSent, inMemory } from '../test-application.fixture';
import { ConsumerLifecycle } from './consumer-lifecycle';

const patient = { withinMs: 30_000 };

describeOn('postgres', 'the parked keys of a subscription that rests', (url) => {
  const schema = `resting_${randomBytes(4).toString('hex')}`;
  let dataSource: DataSource;
  beforeAll(async () => {
    dataSource = await new DataSource({ type: 'postgres', url, poolSize: 4 }).initialize();
  });
  afterEach(async () => {
    await closeAll();
    await dataSource.query(`drop schema if exists ${quoted(schema)} cascade`);
  });
  afterAll(() => dataSource.destroy());

  async function start(handle: (gift: Gift) => Promise<void>, options: Partial<OnMessageOptions>) {
    @Injectable()
    class Badges {
      @OnMessage(GiftSent, { group: 'badges', ordered: true, ...options })
      handle(gift: Gift): Promise<void> {
        return handle(gift);
      }
    }
    const store = typeorm(dataSource, { schema, connections: 2 });
    const more = { stores: { default: store }, transports: { main: memory() }, migrate, logger: silentLogger };
    const app = await boot(inMemory(more), { providers: [Badges] });
    const publisher = app.get(MessagePublisher);
    return {
      publish: (coins: number) => publisher.publish(GiftSent, { room: 'r', coins }),
      consumer: app.get(ConsumerLifecycle).consumers[0]!,
    };
  }
  const parked = async (): Promise<number> =>
    Number((await dataSource.query(`select count(*) as n from ${quoted(schema)}.parked_message`))[0].n);

  it('wait while it is paused, and go on in order when it is resumed', async () => {
    const handled: number[] = [];
    let broken = true;
    const handle = async ({ coins }: Gift): Promise<void> => {
      handled.push(coins);
      if (broken) throw new Error('not yet');
    };
    const { publish, consumer } = await start(handle, { retry: fixed({ attempts: 50, immediate: 0, delayMs: 200 }) });
    await publish(1);
    await publish(2);
    await until('both wait', async () => (await parked()) === 2, patient);
    consumer.pause();
    broken = false;
    await systemClock.wait(100); // for the one that may be in hand
    const before = handled.length;
    await systemClock.wait(1_500); // nothing must happen: there is no condition to wait for
    expect(handled.slice(before)).toEqual([]);
    consumer.resume();
    await until('none waits', async () => (await parked()) === 0, patient);
    expect(handled.slice(-2)).toEqual([1, 2]);
  });

  it('stop behind the head in hand when it is paused meanwhile', async () => {
    const handled: number[] = [];
    let failing = true;
    let letGo = (): void => undefined;
    const handle = async ({ coins }: Gift): Promise<void> => {
      if (failing) throw new Error('not yet');
      await new Promise<void>((resolve) => (letGo = resolve));
      handled.push(coins);
    };
    const { publish, consumer } = await start(handle, { retry: fixed({ attempts: 50, immediate: 0, delayMs: 200 }) });
    await publish(1);
    await publish(2);
    await until('both wait', async () => (await parked()) === 2, patient);
    failing = false;
    let begun = letGo;
    await until('the head is in hand', () => letGo !== begun, patient);
    consumer.pause();
    begun = letGo;
    letGo();
    await until('the head is done', async () => (await parked()) === 1, patient);
    await systemClock.wait(1_500); // nothing must happen: there is no condition to wait for
    expect(letGo).toBe(begun);
    expect(handled).toEqual([1]);
    consumer.resume();
    await until('its follower is in hand', () => letGo !== begun, patient);
    letGo();
    await until('none waits', async () => (await parked()) === 0, patient);
    expect(handled).toEqual([1, 2]);
  });

  it('are left alone while its circuit is open, but for the probe, and burn no attempt', async () => {
    const begun: number[] = [];
    let broken = true;
    const handle = async (): Promise<void> => {
      begun.push(systemClock.monotonic());
      if (broken) throw new Error('the database of badges is away');
    };
    const openMs = 1_000;
    const { publish } = await start(handle, {
      retry: fixed({ attempts: 2, immediate: 0, delayMs: 10 }),
      circuit: { failures: 1, openMs },
    });
    await publish(1);
    await until('a probe has failed too', () => begun.length === 3, patient);
    broken = false;
    for (const [n, at] of begun.entries()) if (n > 0) expect(at - begun[n - 1]!).toBeGreaterThan(openMs * 0.95);
    await until('none waits', async () => (await parked()) === 0, patient);
    const letters = await dataSource.query(`select 1 from ${quoted(schema)}.dead_letter`);
    expect(letters).toEqual([]);
  });
});
