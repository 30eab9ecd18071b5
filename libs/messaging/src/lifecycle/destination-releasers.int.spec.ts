import { randomBytes } from 'node:crypto';
import { confirmed, failed, type OutgoingMessage, quoted, silentLogger } from '@tidings/core';
import { migrate, typeorm } from '@tidings/database';
import { memory } from '@tidings/memory';
import { describeOn, until } from '@tidings/testing';
import { DataSource } from 'typeorm';
import { getOutboxToken } from '../decorators/inject-outbox.decorator';
import type { Outbox } from '@tidings/outbox';
import { MessagingModule } from '../messaging.module';
import { ApplicationDeadLetters } from '../publishing/application-dead-letters';
import { boot, closeAll, GiftSent, inMemory } from '../test-application.fixture';

const patient = { withinMs: 30_000 };

describeOn('postgres', 'a message that cannot be published', (url) => {
  const schema = `outbound_${randomBytes(4).toString('hex')}`;
  let dataSource: DataSource;
  let sent: string[];
  let broken: (outgoing: OutgoingMessage) => boolean;

  beforeAll(async () => {
    dataSource = await new DataSource({ type: 'postgres', url, poolSize: 4 }).initialize();
  });
  beforeEach(() => {
    sent = [];
    broken = ({ message }) => message.id === 'a';
  });
  afterEach(async () => {
    await closeAll();
    await dataSource.query(`drop schema ${quoted(schema)} cascade`);
  });
  afterAll(() => dataSource.destroy());

  const start = async () => {
    const main = memory();
    main.publish = async (messages) => {
      const results = messages.map((one) => (broken(one) ? failed('refused', new Error('no')) : confirmed));
      sent.push(...messages.filter((_, n) => results[n] === confirmed).map(({ message }) => message.id));
      return results;
    };
    const store = typeorm(dataSource, { schema, connections: 2 });
    const options = inMemory({ stores: { default: store }, transports: { main }, migrate, logger: silentLogger });
    const app = await boot(MessagingModule.forRoot(options));
    const outbox = app.get<Outbox>(getOutboxToken());
    const publish = (id: string, room = 'k') =>
      dataSource.transaction((manager) => outbox.within(manager).publish(GiftSent, { room, coins: 1 }, { id }));
    const letters = app.get(ApplicationDeadLetters);
    const buried = async (): Promise<string> => {
      await until('it is a dead letter', async () => (await letters.list()).length === 1, patient);
      return (await letters.list())[0]!.id;
    };
    return { publish, letters, buried, outbox };
  };
  const drained = (outbox: Outbox) =>
    until('the log is drained', async () => (await outbox.backlog()).every(({ messages }) => messages === 0), patient);
  const waiting = async (): Promise<string[]> =>
    (await dataSource.query(`select message_id from ${quoted(schema)}.parked_message order by position`)).map(
      (row: { message_id: string }) => row.message_id,
    );

  it('parks its key at that destination: what comes behind it waits, other keys go on, a redrive goes first', async () => {
    const { publish, letters, buried, outbox } = await start();
    await publish('a');
    const letter = await buried();
    for (const id of ['b', 'c', 'd']) await publish(id);
    await publish('x', 'other');
    await drained(outbox);
    expect(sent).toEqual(['x']);
    expect(await waiting()).toEqual(['a', 'b', 'c', 'd']);
    broken = () => false;
    expect(await letters.redrive(letter)).toMatchObject({ outcome: 'redriven' });
    await until('all are published', () => sent.length === 5, patient);
    await until('the key is free', async () => (await waiting()).length === 0, patient);
    await publish('e');
    await until('it is published', () => sent.length === 6, patient);
    expect(sent).toEqual(['x', 'a', 'b', 'c', 'd', 'e']);
  });

  it('is one letter for a key, whatever of it fails in the same batch; its followers go on when it is discarded', async () => {
    broken = ({ message }) => message.key === 'k';
    const { publish, letters, buried, outbox } = await start();
    await Promise.all(['a', 'b', 'c'].map((id) => publish(id)));
    const letter = await buried();
    await drained(outbox);
    expect(await letters.list()).toHaveLength(1);
    const before = await waiting();
    expect([...before].sort()).toEqual(['a', 'b', 'c']);
    broken = () => false;
    await letters.discard(letter, { by: 'spec', reason: 'of no use' });
    await until('the others are published', () => sent.length === 2, patient);
    expect(sent).toEqual(before.slice(1));
  });

  it('is parked again when its redrive fails again', async () => {
    const { publish, letters, buried, outbox } = await start();
    await publish('a');
    const letter = await buried();
    await publish('b');
    await drained(outbox);
    await letters.redrive(letter);
    const state = async (): Promise<unknown> =>
      (await dataSource.query(`select state, epoch::int as epoch from ${quoted(schema)}.parked_key`))[0];
    await until('it failed again', async () => ((await state()) as { epoch: number }).epoch > 2, patient);
    expect(await state()).toMatchObject({ state: 'dead' });
    expect(sent).toEqual([]);
    expect(await waiting()).toEqual(['a', 'b']);
  });
});
