import { randomBytes } from 'node:crypto';
import {
  accept,
  confirmed,
  crc32c,
  type DeadLetter,
  fixed,
  type HandlerDefinition,
  MessageContext,
  type Message,
  type Middleware,
  compose,
  type OutgoingMessage,
  type Publisher,
  quoted,
  retryMiddleware,
  type Settlement,
  type Store,
  systemClock,
} from '@tidings/core';
import { migrate, pg } from '@tidings/database';
import { inboxEntryOf, inboxMiddleware, inboxMigrations, PostgresInbox } from '@tidings/inbox';
import { describeOn, testMessage } from '@tidings/testing';
import { Pool } from 'pg';
import { deadLetterMiddleware } from './dead-letter.middleware';
import { deadLetterDeskConformance } from './dead-letter-desk.conformance';
import { deadLettersConformance } from './dead-letters.conformance';
import { deadLetterMigrations } from './migrations';
import { PostgresDeadLetters } from './postgres-dead-letters';

const subscription = {
  topic: 'gift.sent',
  group: 'ranking',
  ordered: true,
  broadcast: false,
  concurrency: 1,
  from: 'now',
};

describeOn('postgres', 'PostgresDeadLetters', (url) => {
  const schema = `letters ${randomBytes(4).toString('hex')}`;
  const s = quoted(schema);
  let pool: Pool;
  let store: Store;
  let inbox: PostgresInbox;
  let letters: PostgresDeadLetters;

  beforeAll(() => {
    pool = new Pool({ connectionString: url, max: 4 });
    store = pg(pool, { schema });
  });
  beforeEach(async () => {
    await migrate(store, [...inboxMigrations, ...deadLetterMigrations]);
    await pool.query(`create table ${s}.effect (id text)`);
    inbox = new PostgresInbox(store);
    letters = new PostgresDeadLetters(store, {
      seal: (of, message) => inbox.seal(inboxEntryOf(of, message)),
    });
  });
  afterEach(() => pool.query(`drop schema ${s} cascade`));
  afterAll(async () => {
    await store.close();
    await pool.end();
  });

  deadLettersConformance(() => letters);

  describe('for people', () => {
    const other = `${schema} other`;
    let elsewhere: Store;
    beforeEach(async () => {
      elsewhere = pg(pool, { schema: other });
      await migrate(elsewhere, deadLetterMigrations);
    });
    afterEach(async () => {
      await elsewhere.close();
      await pool.query(`drop schema ${quoted(other)} cascade`);
    });
    deadLetterDeskConformance(
      () => letters,
      () => new PostgresDeadLetters(elsewhere),
    );
  });

  /** One consumer: the chain as messaging has it, around a handler that has one effect and then fails as long as it is told to. */
  const consumer = () => {
    const state = { failing: true, runs: 0 };
    const handler = {
      name: 'RankGiftHandler.rank',
      store: 'main',
      transport: 'main',
      level: 'effectivelyOnce',
      subscription,
      retry: fixed({ attempts: 3, immediate: 0 }),
    } as unknown as HandlerDefinition;
    const chain = (deadLetter: Middleware) =>
      compose(
        [deadLetter, retryMiddleware(systemClock), inboxMiddleware({ stores: () => store, inboxOf: () => inbox })],
        async ({ transaction, message }) => {
          state.runs++;
          await transaction!.query({ text: `insert into ${s}.effect values ($1)`, values: [message.id] });
          if (state.failing) throw new Error(`no luck ${state.runs}`, { cause: new Error('the cause') });
          return accept;
        },
      );
    const receive = (message: Message, attempt = 1, instance = 'pod-1'): Promise<Settlement> =>
      chain(deadLetterMiddleware({ sinkOf: () => letters, instance }))(
        new MessageContext({ message, attempt, redelivered: attempt > 1 }, handler, new AbortController().signal),
      );
    const sent: OutgoingMessage[] = [];
    const publisher: Publisher = {
      async publish(messages) {
        sent.push(...messages);
        for (const { message, attempts = 0 } of messages) await receive(message, attempts + 1);
        return messages.map(() => confirmed);
      },
    };
    return { state, receive, sent, publisherOf: () => publisher };
  };
  const effects = async (): Promise<number> =>
    (await pool.query(`select count(*)::int as n from ${s}.effect`)).rows[0].n;

  it('tells the whole story: every attempt, where it was made, each error with its cause', async () => {
    const { receive } = consumer();
    const message = testMessage();
    expect(await receive(message, 1, 'pod-1')).toMatchObject({ kind: 'retry' });
    expect(await receive(message, 2, 'pod-2')).toMatchObject({ kind: 'retry' });
    expect(await receive(message, 3, 'pod-1')).toMatchObject(accept);
    const [{ id } = { id: '' }] = await letters.list();
    expect(await letters.find(id)).toMatchObject({
      attempts: 3,
      handler: 'RankGiftHandler.rank',
      reason: 'failed 3 times, the last with: no luck 3',
      failures: [1, 2, 3].map((attempt) => ({
        attempt,
        instance: attempt === 2 ? 'pod-2' : 'pod-1',
        errors: [
          { name: 'Error', message: `no luck ${attempt}`, stack: expect.any(String) },
          { name: 'Error', message: 'the cause' },
        ],
      })),
    });
    expect(await effects()).toBe(0);
    expect((await pool.query(`select from ${s}.failed_attempt`)).rowCount).toBe(0);
  });

  it('has the effect of a redriven message once, however often it is redriven and delivered', async () => {
    const { state, receive, sent, publisherOf } = consumer();
    await receive(testMessage(), 3);
    state.failing = false;
    const [{ id } = { id: '' }] = await letters.list();
    expect(await letters.redrive(id, publisherOf)).toEqual({ outcome: 'redriven', generation: 1 });
    await letters.redrive(id, publisherOf);
    expect(await receive(sent[0]!.message, 2)).toEqual(accept);
    expect(await effects()).toBe(1);
  });

  it('files a redriven message that fails again as a letter of its own, which can be redriven in turn', async () => {
    const { state, receive, publisherOf } = consumer();
    const message = testMessage();
    await receive(message, 3);
    const [{ id } = { id: '' }] = await letters.list();
    const publisher: Publisher = {
      async publish([outgoing]) {
        await receive(outgoing!.message, 3);
        return [confirmed];
      },
    };
    await letters.redrive(id, () => publisher);
    const [again] = await letters.list();
    expect(again).toMatchObject({ messageId: message.id, generation: 1, status: 'dead' });
    state.failing = false;
    expect(await letters.redrive(again!.id, publisherOf)).toEqual({ outcome: 'redriven', generation: 2 });
    expect(await effects()).toBe(1);
  });

  it('files once when the process dies between burial and settlement and the message comes again', async () => {
    const { receive } = consumer();
    const message = testMessage();
    expect(await receive(message, 3)).toMatchObject(accept); // the broker never hears of it …
    expect(await receive(message, 4)).toMatchObject(accept); // … and delivers again
    expect(await letters.list()).toHaveLength(1);
  });

  it('does not redrive what took effect in a late copy after it was buried', async () => {
    const { state, receive, sent, publisherOf } = consumer();
    const message = testMessage();
    await receive(message, 3);
    state.failing = false;
    await receive(message, 4);
    expect(await effects()).toBe(1);
    const [{ id } = { id: '' }] = await letters.list();
    expect(await letters.redrive(id, publisherOf)).toEqual({ outcome: 'settled', status: 'handled' });
    expect([sent, await effects(), await letters.list()]).toEqual([[], 1, []]);
  });

  it('does not let a late copy take effect after the redrive took the message over', async () => {
    const { state, receive, publisherOf } = consumer();
    const message = testMessage();
    await receive(message, 3);
    state.failing = false;
    const [{ id } = { id: '' }] = await letters.list();
    await letters.redrive(id, publisherOf);
    expect(await receive(message, 4)).toMatchObject(accept);
    expect(await effects()).toBe(1);
  });

  it('publishes nothing when another redrive has ended while this one was about to begin', async () => {
    const { state, receive, sent, publisherOf } = consumer();
    await receive(testMessage(), 3);
    state.failing = false;
    const [{ id } = { id: '' }] = await letters.list();
    const late = new PostgresDeadLetters(store, {
      seal: async () => {
        await letters.redrive(id, publisherOf);
        return 'sealed';
      },
    });
    expect(await late.redrive(id, publisherOf)).toEqual({ outcome: 'settled', status: 'redriven' });
    expect(sent).toHaveLength(1);
    expect(await letters.find(id)).toMatchObject({ status: 'redriven' });
  });

  it('keeps the bucket of a redrive that was cut off before midnight, so that a copy of it is still known', async () => {
    const { state, receive, sent, publisherOf } = consumer();
    await receive(testMessage(), 3);
    state.failing = false;
    const [{ id } = { id: '' }] = await letters.list();
    const cutOff: Publisher = {
      async publish(messages) {
        await publisherOf().publish(messages); // it arrived, but nobody was told
        throw new Error('killed');
      },
    };
    await expect(letters.redrive(id, () => cutOff)).rejects.toThrow('killed');
    await pool.query(`create or replace function ${s}.now() returns timestamptz language sql volatile parallel safe as
      $$ select clock_timestamp() + interval '1 day' $$`);
    expect(await letters.redrive(id, publisherOf)).toEqual({ outcome: 'redriven', generation: 1 });
    expect(new Set(sent.map(({ message }) => message.bucket)).size).toBe(1);
    expect([sent.length, await effects()]).toEqual([2, 1]);
  });

  it('redrives what was outside of the dedupe horizon, with today as its bucket', async () => {
    const { state, receive, sent, publisherOf } = consumer();
    state.failing = false;
    await receive(testMessage({ bucket: '2020-02-02' }));
    const [letter] = await letters.list();
    expect(letter!.reason).toMatch(/^outside the dedupe horizon/);
    await letters.redrive(letter!.id, publisherOf);
    const { rows } = await pool.query(`select to_char(${s}.now() at time zone 'UTC', 'YYYY-MM-DD') as today`);
    expect(sent[0]!.message.bucket).toBe(rows[0].today);
    expect(await effects()).toBe(1);
  });

  it('does not make a conflict of the true message by redriving a corrupt copy of it', async () => {
    const { state, receive } = consumer();
    const message = testMessage();
    const corrupt: DeadLetter = {
      message: { ...message, payload: Buffer.from('{"gift":"rosf"}') },
      direction: 'inbound',
      place: 'ranking',
      transport: 'main',
      reason: 'corrupt payload',
      attempts: 1,
      failures: [],
    };
    await letters.bury(corrupt);
    const [{ id } = { id: '' }] = await letters.list();
    await letters.redrive(id, () => ({ publish: async () => [confirmed] }));
    state.failing = false;
    await receive(message);
    expect(await effects()).toBe(1);
    expect(await letters.list()).toEqual([]);
  });

  it('sends an edited payload with a checksum of its own, and keeps the original', async () => {
    const { receive, sent, state, publisherOf } = consumer();
    const message = testMessage({ payload: { gift: 'rsoe' } });
    await receive(message, 3);
    const [{ id } = { id: '' }] = await letters.list();
    const edited = Buffer.from('{"gift":"rose"}');
    await pool.query(`update ${s}.dead_letter set edited_payload = $1`, [edited]);
    state.failing = false;
    await letters.redrive(id, publisherOf);
    expect(sent[0]!.message.crc32c).toBe(crc32c(edited));
    expect(Buffer.from(sent[0]!.message.payload).equals(edited)).toBe(true);
    expect(Buffer.from((await letters.find(id))!.message.payload).equals(message.payload)).toBe(true);
  });
});
