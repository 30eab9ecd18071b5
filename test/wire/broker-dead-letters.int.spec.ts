import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { defineMessage, quoted } from '@tidings/core';
import { migrate, pg } from '@tidings/database';
import { ApplicationDeadLetters, MessagePublisher, OnMessage } from '@tidings/messaging';
import { describeOn, until } from '@tidings/testing';
import { Pool } from 'pg';
import { z } from 'zod';
import { boot, closeAll } from '../../libs/messaging/src/test-application.fixture';
import { SpecBroker } from '../../libs/transports/rabbitmq/src/spec-broker.fixture';

const Ping = defineMessage('ping', { schema: z.object({ n: z.number() }) });
let handled: number[];

@Injectable()
class Pings {
  @OnMessage(Ping, { group: 'pings', concurrency: 1 })
  handle({ n }: { n: number }): Promise<void> {
    handled.push(n);
    return Promise.resolve();
  }
}

describeOn('postgres', 'what the broker gives up, in an application with a store', (database) =>
  describeOn('rabbitmq', 'the broker', (url) => {
    const schema = `broker_letters_${randomBytes(4).toString('hex')}`;
    let broker: SpecBroker;
    let pool: Pool;
    beforeAll(async () => {
      handled = [];
      broker = await SpecBroker.at(url);
      pool = new Pool({ connectionString: database, max: 4 });
    });
    afterAll(async () => {
      await closeAll();
      await broker.close();
      await pool.query(`drop schema if exists ${quoted(schema)} cascade`);
      await pool.end();
    });

    it('is buried with the others, once, with its reason and story, and leaves the broker', async () => {
      const groups = { pings: { queue: { messageTtlMs: 60_000, maxLength: 3 } } };
      // The group stands, and nobody takes: of five messages the oldest two are given up.
      const before = await broker.connected({ groups });
      const subscription = { topic: 'ping', group: 'pings', ordered: false, broadcast: false, concurrency: 1, from: 'now' } as const; // prettier-ignore
      await (await before.subscribe(subscription, () => Promise.resolve({ kind: 'release' }))).stop(0);
      const sender = await boot({ transports: { main: broker.transport({ groups }) }, roles: ['publish'] });
      for (const n of [1, 2, 3, 4, 5]) await sender.get(MessagePublisher).publish(Ping, { n });
      const left = async () => (await before.nativeDeadLetters('ping', 'pings', 9)).length;
      await until('two given up', async () => (await left()) === 2);

      const options = {
        migrate,
        stores: { default: pg(pool, { schema }) },
        transports: { main: broker.transport({ groups }) },
      };
      const app = await boot(options, { providers: [Pings] });
      const deadLetters = app.get(ApplicationDeadLetters);
      await until('buried', async () => (await deadLetters.list()).length === 2);
      await until('handled', () => handled.length === 3);
      expect(handled).toEqual([3, 4, 5]);
      expect(await left()).toBe(0);
      const [summary] = await deadLetters.list();
      const queue = broker.names.group('ping', 'pings');
      expect(await deadLetters.find(summary!.id)).toMatchObject({
        direction: 'inbound',
        place: 'pings',
        transport: 'main',
        handler: 'Pings.handle',
        reason: `rabbitmq: maxlen in ${queue}`,
        failures: [{ attempt: 1, errors: [{ name: 'rabbitmq.maxlen' }] }],
      });
      await deadLetters.redrive(summary!.id);
      await until('redriven to its group', () => handled.length === 4);
      expect(handled[3]).toBe(1);
    });
  }),
);
