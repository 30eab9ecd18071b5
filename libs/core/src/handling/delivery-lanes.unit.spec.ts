import { Gate, ManualClock, recordingReceive, testMessage, until } from '@tidings/testing';
import type { Delivery } from '../message/message';
import { systemClock } from '../scheduling/clock';
import { accept, PARK_RETRY_MS, park, reject, release, retry, type Settlement } from '../transport/settlement';
import type { Receive } from '../transport/subscriber';
import { DeliveryLanes } from './delivery-lanes';

const delivery = (id: string, key: string | null = 'room-1'): Delivery => ({
  message: testMessage({ id, key }),
  attempt: 1,
  redelivered: false,
});

const lanesOf = (receive: Receive, options: { ordered?: boolean; concurrency?: number } = {}, clock = systemClock) =>
  new DeliveryLanes({ ordered: true, concurrency: 4, ...options }, receive, clock);

describe('delivery lanes', () => {
  it('answer what the receiver settled', async () => {
    const answers: Record<string, Settlement> = { a: accept, b: reject('no'), c: retry(5), d: park('later') };
    const lanes = lanesOf(async ({ message }) => answers[message.id]!, { ordered: false });
    const settled = await Promise.all(Object.keys(answers).map((id) => lanes.run(delivery(id))));
    expect(settled).toEqual(Object.values(answers));
    expect(lanes.inFlight).toBe(0);
  });

  it('hand over one of a key at a time, in the order they came', async () => {
    const received = recordingReceive(async () => {
      await systemClock.wait(1);
      return accept;
    });
    const lanes = lanesOf(received.receive, { concurrency: 8 });
    await Promise.all(['1', '2', '3', '4', '5'].map((id) => lanes.run(delivery(id))));
    expect(received.ids).toEqual(['1', '2', '3', '4', '5']);
    expect(received.overlappingKeys).toEqual([]);
  });

  it('let keys and unkeyed deliveries run beside each other, up to the concurrency', async () => {
    const gate = new Gate();
    const received = recordingReceive(async () => {
      await gate.opened;
      return accept;
    });
    const lanes = lanesOf(received.receive, { concurrency: 3 });
    const all = [delivery('1', 'a'), delivery('2', 'b'), delivery('3', null), delivery('4', 'c'), delivery('5', null)];
    const settled = Promise.all(all.map((one) => lanes.run(one)));
    expect(received.running).toBe(3);
    expect(lanes.inFlight).toBe(5);
    gate.open();
    await settled;
    expect(received.mostAtOnce).toBe(3);
  });

  it('do not order an unordered subscription', async () => {
    const gate = new Gate();
    const received = recordingReceive(async ({ message }) => {
      if (message.id === 'slow') await gate.opened;
      return accept;
    });
    const lanes = lanesOf(received.receive, { ordered: false });
    const slow = lanes.run(delivery('slow'));
    await expect(lanes.run(delivery('quick'))).resolves.toEqual(accept);
    gate.open();
    await slow;
  });

  it('hand a freed place to whoever waited longest', async () => {
    const gates = new Map<string, Gate>();
    const received = recordingReceive(async ({ message }) => {
      const gate = new Gate();
      gates.set(message.id, gate);
      await gate.opened;
      return accept;
    });
    const lanes = lanesOf(received.receive, { ordered: false, concurrency: 1 });
    const first = lanes.run(delivery('1'));
    const others = ['2', '3'].map((id) => lanes.run(delivery(id)));
    // Newcomers in every turn around the one in which the place is freed: none may slip in before the two that wait.
    const late: Promise<Settlement>[] = [];
    gates.get('1')!.open();
    for (let turn = 0; turn < 20; turn++) {
      await Promise.resolve();
      late.push(lanes.run(delivery(`late-${turn}`)));
    }
    await first;
    for (const id of ['2', '3', ...late.map((_, turn) => `late-${turn}`)]) {
      await until(`${id} begins`, () => gates.has(id));
      gates.get(id)!.open();
    }
    await Promise.all([...others, ...late]);
    expect(received.ids.slice(0, 4)).toEqual(['1', '2', '3', 'late-0']);
    expect(received.mostAtOnce).toBe(1);
  });

  describe('of an ordered key whose head fails', () => {
    it('try it again in place after its delay, while its followers wait and other keys go on', async () => {
      const clock = new ManualClock();
      const received = recordingReceive(({ message, attempt }) =>
        message.id === 'head' && attempt < 3 ? retry(1_000) : accept,
      );
      const lanes = lanesOf(received.receive, { concurrency: 1 }, clock);
      const head = lanes.run(delivery('head'));
      const follower = lanes.run(delivery('follower'));
      await until('the head waits', () => clock.sleeping === 1);
      await expect(lanes.run(delivery('other', 'room-2'))).resolves.toEqual(accept);
      clock.advance(1_000);
      await until('the head waits again', () => clock.waits.length === 2 && clock.sleeping === 1);
      clock.advance(1_000);
      await expect(Promise.all([head, follower])).resolves.toEqual([accept, accept]);
      expect(received.ids).toEqual(['head', 'other', 'head', 'head', 'follower']);
      expect(received.deliveries.map(({ attempt, redelivered }) => `${attempt}${redelivered ? '+' : ''}`)).toEqual([
        '1',
        '1',
        '2+',
        '3+',
        '1',
      ]);
    });

    it('count no attempt for what is parked or retried uncounted', async () => {
      const clock = new ManualClock();
      const answers = [park('newer version'), retry(7, { counted: false }), accept];
      const received = recordingReceive(() => answers.shift()!);
      const lanes = lanesOf(received.receive, {}, clock);
      const settled = lanes.run(delivery('1'));
      for (const ms of [PARK_RETRY_MS, 7]) {
        await until('it waits', () => clock.sleeping === 1);
        expect(clock.waits.at(-1)).toBe(ms);
        clock.advance(ms);
      }
      await expect(settled).resolves.toEqual(accept);
      expect(received.deliveries.map(({ attempt }) => attempt)).toEqual([1, 1, 1]);
    });

    it('go on with the followers after it was rejected', async () => {
      const lanes = lanesOf(async ({ message }) => (message.id === '1' ? reject('no') : accept));
      await expect(Promise.all([lanes.run(delivery('1')), lanes.run(delivery('2'))])).resolves.toEqual([
        reject('no'),
        accept,
      ]);
    });

    it('take a release without a stop for a retry: nobody else may handle the followers first, nor is the key lost', async () => {
      const clock = new ManualClock();
      const answers = [release, accept, accept];
      const received = recordingReceive(() => answers.shift()!);
      const lanes = lanesOf(received.receive, {}, clock);
      const settled = Promise.all([lanes.run(delivery('1')), lanes.run(delivery('2'))]);
      await until('the head waits', () => clock.sleeping === 1);
      clock.advance(60_000);
      await expect(settled).resolves.toEqual([accept, accept]);
      expect(received.ids).toEqual(['1', '1', '2']);
    });
  });

  describe('whose receiver breaks its promise', () => {
    it.each([
      ['rejects', () => Promise.reject(new Error('broken'))],
      [
        'throws',
        () => {
          throw new Error('broken');
        },
      ],
    ])('settle as a retry when it %s', async (_, receive: Receive) => {
      const lanes = lanesOf(receive, { ordered: false, concurrency: 1 });
      await expect(lanes.run(delivery('1'))).resolves.toMatchObject({
        kind: 'retry',
        counted: false,
        error: { message: 'broken' },
      });
      await expect(lanes.run(delivery('2'))).resolves.toMatchObject({ kind: 'retry' });
      await lanes.stop(0);
    });
  });
});
