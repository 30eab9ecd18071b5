import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type MessageContext, quoted, silentLogger, systemClock } from '@tidings/core';
import { clientOf, migrate, pg, withTransaction } from '@tidings/database';
import { type KafkaTransport, kafka } from '@tidings/kafka';
import { Outbox } from '@tidings/outbox';
import { describeOn, server, until } from '@tidings/testing';
import { Kafka, logLevel } from 'kafkajs';
import { Pool } from 'pg';
import { OnMessage } from './decorators/on-message.decorator';
import { MessagingModule } from './messaging.module';
import { boot, closeAll, type Gift, GiftSent, inMemory } from './test-application.fixture';

const GROUP = 'ranking';

@Injectable()
class RankGift {
  @OnMessage(GiftSent, { group: GROUP })
  async rank(gift: Gift, context: MessageContext): Promise<void> {
    await clientOf(context).query('insert into effect values ($1, $2)', [context.message.id, gift.coins]);
  }
}

describeOn('kafka', 'The inbox behind Kafka', (brokerUrl) => {
  const prefix = `inbox-${randomBytes(4).toString('hex')}`;
  const schema = prefix.replace('-', '_');
  const topic = `${prefix}.gift.sent`;
  const plain = new Kafka({ brokers: [new URL(brokerUrl).host], logLevel: logLevel.NOTHING, retry: { initialRetryTime: 10 } }); // prettier-ignore
  let pool: Pool;

  beforeAll(async () => {
    pool = new Pool({ connectionString: server('postgres'), max: 4, options: `-c search_path=${schema}` });
    await pool.query(`create schema ${quoted(schema)}`);
    await pool.query('create table effect (record text, coins int)');
  });
  afterEach(closeAll);
  afterAll(async () => {
    const cleaner = transport();
    await cleaner.removeTopic(GiftSent.topic, [GROUP]);
    await cleaner.close();
    await pool.query(`drop schema ${quoted(schema)} cascade`);
    await pool.end();
  });

  const transport = (): KafkaTransport =>
    kafka({
      urls: brokerUrl,
      prefix,
      partitions: 1,
      foreign: { source: 'legacy', type: GiftSent.type },
      idempotent: true,
    });
  const effects = async (): Promise<string[]> => {
    const { rows } = await pool.query<{ record: string }>('select record from effect order by record');
    return rows.map(({ record }) => record);
  };

  let delivered = 0;
  const start = () =>
    boot(
      MessagingModule.forRoot(
        inMemory({
          stores: { default: pg(pool, { schema, connections: 2, logger: silentLogger }) },
          transports: { main: transport() },
          migrate,
          middleware: [(_context, next) => (delivered++, next())],
        }),
      ),
      { providers: [RankGift] },
    );

  it('an offset is the key of the inbox: a record of a Kafka transaction, read again after a crash, is applied once', async () => {
    const producer = plain.producer({ transactionalId: prefix, maxInFlightRequests: 1 });
    await start();
    await producer.connect();
    const send = async (coins: readonly number[]): Promise<void> => {
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: coins.map((each) => ({ value: JSON.stringify({ room: 'r1', coins: each }) })) }); // prettier-ignore
      await transaction.commit();
    };
    await send([1, 2, 3]);
    const records = [0, 1, 2].map((offset) => `${topic}/0/${offset}`);
    await until('three effects', async () => (await effects()).length === 3);
    expect(await effects()).toEqual(records);
    await closeAll();
    // Where a crash between the database's commit and the offset's leaves the group, and no transaction of Kafka's covers.
    const operator = transport();
    await operator.rewind(GiftSent.topic, GROUP, 'earliest');
    await operator.close();
    await start();
    await send([4]);
    await until('all came again, and the new one', () => delivered === 7, { withinMs: 20_000 });
    await until('a fourth effect', async () => (await effects()).length === 4);
    expect(await effects()).toEqual([...records, `${topic}/0/4`]); // offset 3 is the transaction's mark
    await producer.disconnect();
  }, 90_000);

  it('what is published with a delay waits in the outbox, and Kafka has it when it is due', async () => {
    const outbox = (await start()).get(Outbox);
    const [delayMs, id] = [1_000, 'delayed'] as const;
    await withTransaction(pool, (client) => outbox.within(client).publish(GiftSent, { room: 'r1', coins: 5 }, { delayMs, id })); // prettier-ignore
    const committed = systemClock.monotonic();
    await until('its effect', async () => (await effects()).includes(id), { withinMs: 20_000 });
    expect(systemClock.monotonic() - committed).toBeGreaterThanOrEqual(delayMs - 50); // the database's clock decides
  }, 60_000);
});
