// Publishing in a transaction: a business row and a message, 8 callers, through TypeORM.
import { randomUUID } from 'node:crypto';
import { MessageFactory, silentLogger, systemClock } from '@tidings/core';
import { logOf, Outbox } from '@tidings/outbox';
import { gift, GiftSent } from '../gift.mjs';
import { openSchema } from '../own-schema.mjs';
import { interleave, timed } from '../rounds.mjs';

const CALLERS = 8;
const TABLES = `
  create table $s.gift (id uuid primary key, coins int not null);
  create table $s.plain (
    seq bigserial primary key, destination int not null, lane smallint not null, created_at timestamptz not null default now(),
    bucket date, crc32c int, version int not null, generation int not null, attempts int not null, optional boolean not null,
    id text not null, aggregatetype text not null, aggregateid text, type text not null, source text not null,
    content_type text not null, tenant text, payload jsonb not null, headers jsonb)`;

export async function publishRow({ postgres, quick }) {
  const database = await openSchema(postgres, { tables: TABLES });
  const { dataSource, schema, store } = database;
  const log = logOf(store, systemClock, silentLogger);
  const factory = new MessageFactory('bench', systemClock);
  const outbox = new Outbox({ log, factory, transports: {}, routes: () => [{ transport: 'main' }] });
  const insert = `insert into ${schema}.plain (destination, lane, bucket, crc32c, version, generation, attempts, optional, id,
      aggregatetype, aggregateid, type, source, content_type, tenant, payload, headers)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`;
  const byHand = (manager, n) => {
    const payload = gift(n);
    const envelope = [randomUUID(), 'gift.sent', payload.room, 'gift.sent', 'bench', 'application/json', null];
    const values = [1, n % 64, '2026-01-01', n, 1, 0, 0, false, ...envelope, JSON.stringify(payload), null];
    return manager.query(insert, values);
  };
  const ours = (manager, n) => outbox.within(manager).publish(GiftSent, gift(n));

  const transactions = (publish) => (count) =>
    timed(async () => {
      let taken = 0;
      const caller = async () => {
        for (let n = taken++; n < count; n = taken++) {
          await dataSource.transaction(async (manager) => {
            await manager.query(`insert into ${schema}.gift (id, coins) values ($1, $2)`, [randomUUID(), 100]);
            await publish(manager, n);
          });
        }
      };
      await Promise.all(Array.from({ length: CALLERS }, caller));
    });

  try {
    return await interleave({
      row: 'publish in a transaction, 8 callers',
      target: 0.85,
      rounds: quick ? 5 : 11,
      messages: quick ? 800 : 1500,
      contenders: {
        'outbox.within(manager).publish': transactions(ours),
        'INSERT into a plain table': transactions(byHand),
        'business row alone': transactions(async () => undefined),
      },
    });
  } finally {
    await log.signals.flush();
    await database.close();
  }
}
