import { accept, retry, type Settlement, type Transaction } from '@tidings/core';
import { FilteredInbox, type InboxEntry, inboxEntryOf, type InboxOutcome } from '@tidings/inbox';
import { describeOn, TcpProxy, testMessage, until } from '@tidings/testing';
import { Redis } from 'ioredis';
import { redisInboxFilter } from './redis-inbox-filter';
import type { RedisInboxFilterOptions } from './redis-inbox.options';
import { SpecRedis } from './spec-redis.fixture';

const ranking = { group: 'ranking', topic: 'gift.sent' };
type Work = (transaction: Transaction | undefined) => Promise<Settlement>;

describeOn('redis', 'RedisInboxFilter', (url) => {
  let server: SpecRedis;
  /** What the inbox behind was asked. */
  let asked: InboxEntry[];
  const answers = new Map<InboxEntry, InboxOutcome>();
  const behind = {
    once: async (entry: InboxEntry, work: Work): Promise<InboxOutcome> => {
      asked.push(entry);
      return answers.get(entry) ?? { kind: 'handled', settlement: await work(undefined) };
    },
  };
  const filter = (options: Partial<RedisInboxFilterOptions> = {}) =>
    redisInboxFilter({ client: server.client, prefix: server.prefix, answerMs: 5_000, ...options });
  const entry = (overrides = {}) => inboxEntryOf(ranking, testMessage(overrides));
  const done: Work = () => Promise.resolve(accept);

  beforeEach(() => {
    server = new SpecRedis(url);
    asked = [];
  });
  afterEach(() => server.close());

  it('tells of a copy without the inbox behind, in another process too, once it is written', async () => {
    const [here, there] = [filter(), filter()];
    here.start();
    const message = entry();
    expect(await new FilteredInbox(behind, here).once(message, done)).toMatchObject({ kind: 'handled' });
    expect(await new FilteredInbox(behind, here).once(message, done)).toEqual({ kind: 'duplicate' });
    await until('it is written behind', async () => (await there.known(message)) === 'handled');
    expect(await new FilteredInbox(behind, there).once(message, done)).toEqual({ kind: 'duplicate' });
    expect(asked).toEqual([message]);
    await Promise.all([here.stop(), here.stop()]);
  });

  it('says nothing of what was not accepted, and all that was when it stops', async () => {
    const one = filter({ writeEveryMs: 60_000 });
    one.start();
    const inbox = new FilteredInbox(behind, one);
    const [failed, sealed, busy] = [entry(), entry(), entry()];
    answers.set(sealed, { kind: 'duplicate' });
    answers.set(busy, { kind: 'busy' });
    const handled = Array.from({ length: 1_200 }, () => entry());
    await inbox.once(failed, () => Promise.resolve(retry(0)));
    for (const message of [sealed, busy, ...handled]) await inbox.once(message, done);
    await one.stop();
    const other = filter();
    const known = await Promise.all([failed, busy, sealed, ...handled].map((message) => other.known(message)));
    expect(known).toEqual([undefined, undefined, 'handled', ...handled.map(() => 'handled')]);
  });

  it('finds other content under the same id', async () => {
    const one = filter();
    one.remember(entry({ id: 'chosen', payload: 'a' }));
    await one.stop();
    expect(await filter().known(entry({ id: 'chosen', payload: 'b' }))).toBe('conflict');
    expect(await filter().known(entry({ id: 'chosen', payload: 'a', generation: 1 }))).toBeUndefined();
  });

  it('forgets when its time is over', async () => {
    const one = filter({ keepMs: 50 });
    const message = entry();
    one.remember(message);
    await one.stop();
    await until('forgotten', async () => (await one.known(message)) === undefined);
  });

  it('holds up nobody when Redis is frozen: the inbox behind is asked', async () => {
    const wire = await TcpProxy.to(url);
    const client = new Redis(wire.url);
    await client.ping();
    wire.freeze();
    const one = redisInboxFilter({ client, prefix: server.prefix, answerMs: 20 });
    const messages = [entry(), entry(), entry()];
    for (const message of messages) await new FilteredInbox(behind, one).once(message, done);
    expect(asked).toEqual(messages);
    client.disconnect();
    await wire.close();
  });
});
