import { accept, type Reclaimer, type Transport } from '@tidings/core';
import { Gate, recordingReceive, testMessage, until } from '@tidings/testing';
import type { RedisGroupTransport } from './redis-group-transport';
import type { RedisConsumingOptions } from './redis-consuming.options';

export const topic = 'gift.sent';
export const group = {
  topic,
  group: 'ranking',
  ordered: false,
  broadcast: false,
  concurrency: 4,
  from: 'now',
} as const;

export interface ReclaimPlace {
  /** Its own schedule never comes; closed by the place. */
  connected(options?: Partial<Pick<RedisConsumingOptions, 'poisonAfter'>>): Promise<Reclaiming>;
  /** As a process would that died right after it had taken everything. */
  takeAndDie(consumer: string): Promise<void>;
  /** Those that the group knows. */
  consumers(): Promise<readonly string[]>;
  keys(): Promise<readonly string[]>;
  deleteKeys(): Promise<void>;
}
type Reclaiming = Pick<RedisGroupTransport<never>, 'removeTopic' | 'hasGroup' | 'nativeDeadLetters'> & Transport & { readonly reclaimer: Reclaimer }; // prettier-ignore

/** All confirmed. Answers the ids. */
export async function publish(transport: Pick<Transport, 'publish'>, count: number): Promise<string[]> {
  const messages = Array.from({ length: count }, () => testMessage({ topic }));
  const results = await transport.publish(messages.map((message) => ({ message })));
  expect(results.every(({ outcome }) => outcome === 'confirmed')).toBe(true);
  return messages.map(({ id }) => id);
}

/** By a transport that is closed: its own schedule would reclaim too. */
export async function declared(place: ReclaimPlace): Promise<void> {
  const before = await place.connected();
  await before.subscribe(group, recordingReceive().receive);
  await before.close();
}

/** What streams and lists owe alike. */
export function reclaimConformance(place: () => ReclaimPlace): void {
  it('of two that reclaim at once one gets each message, and the dead consumer goes', async () => {
    const [first, second] = [await place().connected(), await place().connected()];
    await declared(place());
    const ids = await publish(first, 20);
    await place().takeAndDie('dead');
    expect(await place().consumers()).toContain('dead');
    const reports = await Promise.all([first.reclaimer.reclaim(), second.reclaimer.reclaim()]);
    expect(reports.reduce((sum, { reclaimed }) => sum + reclaimed, 0)).toBe(20);
    const heir = recordingReceive();
    await second.subscribe(group, heir.receive);
    await heir.receivedAll(ids);
    expect(heir.deliveries).toHaveLength(20);
    expect(heir.deliveries.every(({ attempt, redelivered }) => attempt === 2 && redelivered)).toBe(true);
    expect(await place().consumers()).not.toContain('dead');
  });

  it('takes nothing from a consumer that lives, however long its handler runs', async () => {
    const transport = await place().connected();
    const gate = new Gate();
    const slow = recordingReceive(() => gate.opened.then(() => accept));
    await transport.subscribe(group, slow.receive);
    await publish(transport, 1);
    await slow.received(1);
    expect(await transport.reclaimer.reclaim()).toMatchObject({ reclaimed: 0, detail: { consumers: 0 } });
    gate.open();
  });

  it('files as a dead letter what too many processes died with', async () => {
    await declared(place());
    const transport = await place().connected({ poisonAfter: 1 });
    const [id] = await publish(transport, 1);
    await place().takeAndDie('dead');
    expect(await transport.reclaimer.reclaim()).toMatchObject({ reclaimed: 0, detail: { buried: 1 } });
    const [letter] = await transport.nativeDeadLetters(topic, 'ranking', 10);
    expect(letter).toMatchObject({ message: { id, headers: {} }, reason: expect.stringContaining('died') as string, attempts: 1 }); // prettier-ignore
  });

  it('a subscription goes on when all of its keys are deleted', () => goesOn(place(), () => place().deleteKeys()));

  it('removes a topic with its groups, and leaves no key', async () => {
    await declared(place());
    const transport = await place().connected();
    await transport.publish([
      { message: testMessage({ topic }), delayMs: 60_000 },
      { message: testMessage({ topic }) },
    ]);
    await place().takeAndDie('dead');
    await transport.removeTopic(topic, ['ranking']);
    await transport.removeTopic(topic, ['ranking']);
    expect(await place().keys()).toEqual([]);
  });
}

/** When `destroy` has taken its group, or more, from under it. */
export async function goesOn(place: ReclaimPlace, destroy: () => Promise<unknown>): Promise<void> {
  const transport = await place.connected();
  const recording = recordingReceive();
  await transport.subscribe(group, recording.receive);
  await recording.receivedAll(await publish(transport, 4));
  await destroy();
  await until('the group is back', () => transport.hasGroup(topic, 'ranking'), { withinMs: 15_000 });
  await recording.receivedAll(await publish(transport, 8));
}
