import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { hasTopologyRemoval, type MessageContext, quoted, type Transport } from '@tidings/core';
import { clientOf, migrate, pg } from '@tidings/database';
import type { CheckBackAnswer, Outbox } from '@tidings/outbox';
import { describeOn, server, until } from '@tidings/testing';
import { Pool } from 'pg';
import { getOutboxToken } from './decorators/inject-outbox.decorator';
import { OnCheckBack } from './decorators/on-check-back.decorator';
import { OnMessage } from './decorators/on-message.decorator';
import { type Step, Steps } from './doomed-process.fixture';
import { messagingMigrations } from './messaging-runtime';
import { CHECK_BACK, STEPS } from './prepare-death-process.fixture';
import { ProcessCrew } from './process-crew.fixture';
import { type ProcessPlace, transportOf } from './process-transport.fixture';
import { boot, closeAll, inMemory } from './test-application.fixture';

const patient = { withinMs: 60_000, everyMs: 100 };

describe.each(['postgres', 'rabbitmq'] as const)('over %s', (kind) => {
  describeOn(kind, 'a process that prepares messages, operates and is killed', (broker) => {
    const schema = `prepare_death_${randomBytes(4).toString('hex')}`;
    const s = quoted(schema);
    const url = server('postgres')!;
    const place: ProcessPlace = { url, schema, ...(kind === 'rabbitmq' && { rabbit: broker }) };
    const crew = new ProcessCrew(join(__dirname, 'prepare-death-process.fixture.ts'), place);
    const asked: string[] = [];
    let pool: Pool;
    let transport: Transport;
    let outbox: Outbox;

    @Injectable()
    class Payments {
      /** Asks the business data, as a user's handler does. */
      @OnCheckBack(Steps)
      async checkBack(_: Step, context: MessageContext): Promise<CheckBackAnswer> {
        const { id } = context.message;
        asked.push(id);
        const { rowCount } = await clientOf(context).query(`select from ${s}.payment where id = $1`, [id]);
        return rowCount ? 'commit' : 'rollback';
      }

      @OnMessage(Steps, { group: 'walkers', ordered: true })
      async handle(_: Step, context: MessageContext): Promise<void> {
        await clientOf(context).query(`insert into ${s}.effect values ($1)`, [context.message.id]);
      }
    }

    beforeAll(async () => {
      pool = new Pool({ connectionString: url, max: 6 });
      const store = pg(pool, { schema, connections: 2 });
      await migrate(store, messagingMigrations);
      await pool.query(`create table ${s}.payment (id text primary key); create table ${s}.effect (id text)`);
      transport = transportOf(place, store);
      const options = inMemory({ stores: { default: store }, transports: { main: transport }, checkBack: CHECK_BACK });
      outbox = (await boot(options, { providers: [Payments] })).get<Outbox>(getOutboxToken());
      await crew.start(1);
    }, 120_000);

    afterAll(async () => {
      await crew.end();
      if (hasTopologyRemoval(transport)) await transport.removeTopic(Steps.topic, ['walkers']);
      await closeAll();
      await pool.query(`drop schema ${s} cascade`);
      await pool.end();
    }, 60_000);

    const ids = async (table: 'payment' | 'effect'): Promise<string[]> =>
      (await pool.query<{ id: string }>(`select id from ${s}.${table} order by id`)).rows.map(({ id }) => id);

    it('has the messages of what it did handled once, and no other, wherever it dies', async () => {
      const { deaths } = crew;
      for (const [died, text] of STEPS.entries()) {
        crew.tell({ doom: { text, when: 'unheard' } });
        await until(`a death at ${text}; ${crew.said}`, () => deaths.length > died, patient);
        await crew.complete();
      }
      await crew.end();
      await until('all are decided', async () => (await outbox.prepared.undecided()).length === 0, patient);
      const paid = await ids('payment');
      await until('all are handled', async () => (await ids('effect')).length >= paid.length, patient);
      await until('the log is drained', async () => (await outbox.backlog()).every(({ messages }) => messages === 0), patient); // prettier-ignore
      expect(await ids('effect')).toEqual(paid);
      const unpaid = asked.filter((id) => !paid.includes(id));
      expect(unpaid.length).toBeGreaterThanOrEqual(1); // it died before it operated
      expect(asked.length - unpaid.length).toBeGreaterThanOrEqual(2); // it died before its commit was asked for, and while it was
      expect(deaths).toEqual(STEPS.map(() => 'SIGKILL'));
    }, 300_000);
  });
});
