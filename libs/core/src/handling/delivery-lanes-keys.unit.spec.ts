import { Gate, testMessage } from '@tidings/testing';
import { OptionsError } from '../errors';
import type { Delivery } from '../message/message';
import { systemClock } from '../scheduling/clock';
import { accept, release, retry, type Settlement } from '../transport/settlement';
import { DeliveryLanes } from './delivery-lanes';
import { KeyLimit } from './key-limit';

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
};

describe('keys with a limit of their own', () => {
  let begun: string[];
  let gates: Map<string, Gate>;
  let answer: Settlement;
  beforeEach(() => {
    [begun, gates, answer] = [[], new Map(), accept];
  });

  function lanesOf(limit: KeyLimit, concurrency = 10) {
    const receive = async ({ message: { id } }: Delivery): Promise<Settlement> => {
      begun.push(id);
      const gate = new Gate();
      gates.set(id, gate);
      await gate.opened;
      return answer;
    };
    const lanes = new DeliveryLanes({ ordered: false, concurrency, keyLimit: limit }, receive, systemClock);
    const run = (id: string, key: string | null = id[0]!): Promise<Settlement> =>
      lanes.run({ message: testMessage({ id, key }), attempt: 1, redelivered: false });
    return { lanes, run };
  }

  it('run so many at once, and other keys, or none, go on', async () => {
    const { run } = lanesOf(new KeyLimit(2), 6);
    const all = [run('a1'), run('a2'), run('a3'), run('a4'), run('b1'), run('n1', null), run('n2', null)];
    expect(begun).toEqual(['a1', 'a2', 'b1', 'n1', 'n2']); // a3 and a4 hold none of the six places
    gates.get('a2')!.open();
    await settled();
    expect(begun.at(-1)).toBe('a3');
    for (const id of ['a1', 'a3', 'b1', 'n1', 'n2']) gates.get(id)!.open();
    await settled();
    gates.get('a4')!.open();
    await Promise.all(all);
    expect(begun).toHaveLength(7);
  });

  it('give their place on when a message is to be retried', async () => {
    answer = retry(1_000);
    const { run } = lanesOf(new KeyLimit(1));
    const [one, other] = [run('a1'), run('a2')];
    gates.get('a1')!.open();
    expect(await one).toEqual(answer);
    await settled();
    expect(begun).toEqual(['a1', 'a2']);
    gates.get('a2')!.open();
    await other;
  });

  it('follow their limit while running: raised at once, lowered as places get free', async () => {
    const limit = new KeyLimit(1);
    const { run } = lanesOf(limit);
    const all = ['a1', 'a2', 'a3', 'a4', 'a5'].map((id) => run(id));
    expect(begun).toEqual(['a1']);
    limit.set(3);
    expect(begun).toEqual(['a1', 'a2', 'a3']);
    limit.set(1);
    gates.get('a1')!.open();
    gates.get('a2')!.open();
    await settled();
    expect(begun).toHaveLength(3); // one still runs
    limit.set(Infinity);
    expect(begun).toHaveLength(5);
    for (const gate of gates.values()) gate.open();
    await Promise.all(all);
  });

  it('release what waits when the lanes stop, unhandled', async () => {
    const { lanes, run } = lanesOf(new KeyLimit(1));
    const [running, ...waiting] = [run('a1'), run('a2'), run('a3')];
    const stopped = lanes.stop(60_000);
    expect(await Promise.all(waiting)).toEqual([release, release]);
    gates.get('a1')!.open();
    expect(await running).toEqual(accept);
    await stopped;
    expect(begun).toEqual(['a1']);
  });

  it('refuse a limit that cannot be meant', () => {
    for (const value of [0, 1.5, -1, NaN]) expect(() => new KeyLimit(value)).toThrow(OptionsError);
    expect(() => new KeyLimit(1).set(0)).toThrow('keyConcurrency: must be a whole number from 1, found 0');
  });
});
