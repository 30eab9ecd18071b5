import { accept, type OutgoingMessage } from '@tidings/core';
import { describeOn, Gate, recordingReceive, testMessage, until } from '@tidings/testing';
import { SpecRedis } from './spec-redis.fixture';

const topic = 'gift.sent';
const group = { topic, group: 'ranking', ordered: false, broadcast: false, concurrency: 4, from: 'now' } as const;
const quiet = { reclaimEveryMs: 600_000, streams: 1 };

describeOn('redis', 'options of the Redis transport', (url) => {
  let server: SpecRedis;
  let stream: string;
  beforeEach(async () => {
    server = await SpecRedis.at(url);
    stream = `${server.names.base(topic)}:0`;
  });
  afterEach(() => server.close());

  const outgoing = (count: number, more: Partial<OutgoingMessage> = {}): OutgoingMessage[] => Array.from({ length: count }, () => ({ message: testMessage({ topic }), ...more })); // prettier-ignore
  const declared = async (name = 'away'): Promise<void> => {
    const transport = await server.connected(quiet);
    await transport.subscribe({ ...group, group: name }, recordingReceive().receive);
    await transport.close();
  };

  it('maxLength, exact: the stream never holds more, whoever has not handled it', async () => {
    await declared();
    const transport = await server.connected({ ...quiet, topics: { [topic]: { maxLength: 10, approximate: false } } });
    await transport.publish(outgoing(35));
    expect(await server.admin.xlen(stream)).toBe(10);
  });

  it('maxLength, approximate: whole nodes go, so at least as many stay', async () => {
    await declared();
    const transport = await server.connected({ ...quiet, topics: { [topic]: { maxLength: 10 } } });
    await transport.publish(outgoing(400));
    const length = await server.admin.xlen(stream);
    expect(length).toBeGreaterThanOrEqual(10);
    expect(length).toBeLessThan(400);
  });

  it('maxAgeMs: what is older is trimmed at the next publish', async () => {
    await declared();
    const transport = await server.connected({
      ...quiet,
      topics: { [topic]: { maxAgeMs: 1_000, approximate: false } },
    });
    await server.admin.xadd(stream, '1000-0', 'id', 'of 1970');
    await transport.publish(outgoing(3));
    expect(await server.admin.xlen(stream)).toBe(3);
  });

  it('entryId: an id that does not grow is refused, and the others go on', async () => {
    await declared();
    const ids = ['5-1', '7-0', '6-0', '9-0'];
    const messages = outgoing(4);
    const entryId = ({ id }: { id: string }): string => ids[messages.findIndex(({ message }) => message.id === id)]!;
    const transport = await server.connected({ ...quiet, topics: { [topic]: { entryId } } });
    const results = await transport.publish(messages);
    expect(results.map((result) => (result.outcome === 'failed' ? result.reason : 'confirmed'))).toEqual(['confirmed', 'confirmed', 'refused', 'confirmed']); // prettier-ignore
    expect((await server.admin.xrange(stream, '-', '+')).map(([id]) => id)).toEqual(['5-1', '7-0', '9-0']);
  });

  it("route: 'optional' makes no stream where there is none (NOMKSTREAM)", async () => {
    const transport = await server.connected(quiet);
    expect(await transport.publish(outgoing(1, { route: 'optional' }))).toEqual([{ outcome: 'confirmed' }]);
    expect(await server.admin.exists(stream)).toBe(0);
  });

  it.each([
    ['at the end', {}, 'now', []],
    ['at the oldest entry', {}, 'earliest', ['first', 'second', 'third']],
    ['behind an entry', { startAt: '2-0' }, 'now', ['third']],
  ] as const)('a new group begins %s', async (_, options, from, expected) => {
    await declared();
    const messages = ['first', 'second', 'third'].map((id) => testMessage({ topic, id }));
    const entryId = ({ id }: { id: string }): string => `${messages.findIndex((message) => message.id === id) + 1}-0`;
    const sender = await server.connected({ ...quiet, topics: { [topic]: { entryId } } });
    await sender.publish(messages.map((message) => ({ message })));
    const recording = recordingReceive();
    const receiver = await server.connected({ ...quiet, groups: { fresh: options } });
    await receiver.subscribe({ ...group, group: 'fresh', from }, recording.receive);
    const marker = testMessage({ topic });
    await receiver.publish([{ message: marker }]);
    await recording.receivedAll([...expected, marker.id]);
    expect([...recording.ids].sort()).toEqual([...expected, marker.id].sort());
  });

  it('atMostOnce (NOACK): nothing is ever pending, and what a process had when it died is gone', async () => {
    const transport = await server.connected({ ...quiet, groups: { ranking: { atMostOnce: true } } });
    const gate = new Gate();
    const recording = recordingReceive(() => gate.opened.then(() => accept));
    await transport.subscribe(group, recording.receive);
    await transport.publish(outgoing(3));
    await recording.received(3);
    expect((await server.admin.xpending(stream, 'ranking'))[0]).toBe(0);
    expect(await transport.reclaimer.reclaim()).toMatchObject({ reclaimed: 0 });
    gate.open();
    const refused = transport.subscribe({ ...group, ordered: true }, recording.receive);
    await expect(refused).rejects.toThrow('redis.groups.ranking.atMostOnce');
  });

  it('a stale group is reported: what it has not settled cannot be trimmed', async () => {
    await declared();
    const warned: object[] = [];
    const logger = { debug: () => undefined, info: () => undefined, error: () => undefined, warn: (fields: object) => void warned.push(fields) }; // prettier-ignore
    const transport = await server.connected({ ...quiet, staleGroupMs: 1, logger });
    await transport.publish(outgoing(5));
    await until('reported', async () => Number((await transport.reclaimer.reclaim()).detail?.['stale']) > 0);
    expect(warned).toContainEqual(expect.objectContaining({ topic, group: 'away' }));
    expect(await server.admin.xlen(stream)).toBe(5);
  });

  it.each([false, true])('a graceful stop gives up nothing that is pending (ordered: %s)', async (ordered) => {
    const [leaving, staying] = [await server.connected(quiet), await server.connected(quiet)];
    const held = recordingReceive(() => new Promise(() => undefined));
    const active = await leaving.subscribe({ ...group, ordered, concurrency: 2 }, held.receive);
    const messages = Array.from({ length: 6 }, () => testMessage({ topic, key: 'room-1' }));
    await leaving.publish(messages.map((message) => ({ message })));
    await held.received(1);
    await active.stop(20);
    const consumers = (await server.admin.xinfo('CONSUMERS', stream, 'ranking')) as unknown[];
    const pending = Number((await server.admin.xpending(stream, 'ranking'))[0]);
    expect(pending === 0 || consumers.length > 0).toBe(true); // DELCONSUMER drops what its consumer owns
    const heir = recordingReceive();
    await staying.subscribe({ ...group, ordered }, heir.receive);
    await heir.receivedAll(messages.map(({ id }) => id));
    if (ordered) expect(heir.ids).toEqual(messages.map(({ id }) => id));
  });

  it('a consumer with a name of its own has at once what it had when it died', async () => {
    await declared('ranking');
    const sender = await server.connected(quiet);
    const messages = outgoing(3);
    await sender.publish(messages);
    await server.admin.xreadgroup('GROUP', 'ranking', 'pod-1', 'STREAMS', stream, '>');
    const recording = recordingReceive();
    await (await server.connected({ ...quiet, consumer: 'pod-1' })).subscribe(group, recording.receive);
    await recording.receivedAll(messages.map(({ message }) => message.id));
    expect(recording.deliveries.every(({ attempt, redelivered }) => attempt === 2 && redelivered)).toBe(true);
  });

  it('in an ordered group what too many processes died with is a dead letter, and its followers go on in order', async () => {
    const options = { ...quiet, poisonAfter: 1, leaseMs: 500 };
    const before = await server.connected(options);
    await before.subscribe({ ...group, ordered: true }, recordingReceive().receive);
    await before.close();
    const transport = await server.connected(options);
    const messages = Array.from({ length: 4 }, () => testMessage({ topic, key: 'room-1' }));
    await transport.publish(messages.map((message) => ({ message })));
    await server.admin.xreadgroup('GROUP', 'ranking', 'dead', 'COUNT', 1, 'STREAMS', stream, '>');
    const heir = recordingReceive();
    await transport.subscribe({ ...group, ordered: true }, heir.receive);
    const [poison, ...followers] = messages.map(({ id }) => id);
    await heir.receivedAll(followers);
    expect(heir.ids).toEqual(followers);
    const [letter] = await transport.nativeDeadLetters(topic, 'ranking', 10);
    expect(letter).toMatchObject({ message: { id: poison }, reason: expect.stringContaining('died') });
  });

  it('takes the next address when one does not answer', async () => {
    const transport = await server.connected({ urls: ['redis://127.0.0.1:1', server.proxy.url] });
    expect(transport.health().up).toBe(true);
  });
});
