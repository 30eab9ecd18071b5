import { Gate, ManualClock, recordingReceive, testMessage, until } from '@tidings/testing';
import { OptionsError } from '../errors';
import type { Delivery } from '../message/message';
import { systemClock } from '../scheduling/clock';
import { accept, release, retry } from '../transport/settlement';
import { DeliveryLanes } from './delivery-lanes';

const delivery = (id: string, key: string | null = null): Delivery => ({
  message: testMessage({ id, key }),
  attempt: 1,
  redelivered: false,
});
const SUBSCRIPTION = { ordered: true, concurrency: 2 };
const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

describe('paused delivery lanes', () => {
  it('begin nothing, and go on in order when resumed', async () => {
    const received = recordingReceive();
    const lanes = new DeliveryLanes(SUBSCRIPTION, received.receive, systemClock);
    lanes.pause();
    const all = ['1', '2', '3'].map((id) => lanes.run(delivery(id, 'room-1')));
    await settled();
    expect([received.ids, lanes.inFlight]).toEqual([[], 3]);
    lanes.resume();
    await expect(Promise.all(all)).resolves.toEqual([accept, accept, accept]);
    expect(received.ids).toEqual(['1', '2', '3']);
  });

  it('let those that run end', async () => {
    const gate = new Gate();
    const lanes = new DeliveryLanes(SUBSCRIPTION, () => gate.opened.then(() => accept), systemClock);
    const running = lanes.run(delivery('1'));
    lanes.pause();
    gate.open();
    await expect(running).resolves.toEqual(accept);
  });

  it('admit one, however many places are free', async () => {
    const received = recordingReceive();
    const lanes = new DeliveryLanes({ ordered: false, concurrency: 5 }, received.receive, systemClock);
    lanes.pause();
    const all = ['1', '2', '3'].map((id) => lanes.run(delivery(id)));
    lanes.admitOne();
    await all[0];
    await settled();
    expect(received.ids).toEqual(['1']);
    lanes.resume();
    await Promise.all(all);
  });

  it('keep an admission for the next that comes, and forget it at a pause', async () => {
    const received = recordingReceive();
    const lanes = new DeliveryLanes(SUBSCRIPTION, received.receive, systemClock);
    lanes.pause();
    lanes.admitOne();
    await lanes.run(delivery('1'));
    lanes.admitOne();
    lanes.pause();
    const waiting = lanes.run(delivery('2'));
    await settled();
    expect(received.ids).toEqual(['1']);
    lanes.resume();
    await waiting;
  });

  it('hold a failed head of a key until they are resumed, its followers behind it', async () => {
    const clock = new ManualClock();
    const received = recordingReceive(({ attempt }) => (attempt === 1 ? retry(100) : accept));
    const lanes = new DeliveryLanes(SUBSCRIPTION, received.receive, clock);
    const head = lanes.run(delivery('1', 'room-1'));
    await settled(); // it failed, and waits for its delay
    lanes.pause();
    clock.advance(1_000);
    await settled();
    expect(received.ids).toEqual(['1']);
    lanes.resume();
    await expect(head).resolves.toEqual(accept);
    expect(received.ids).toEqual(['1', '1']);
  });

  it('release what waits when they are stopped', async () => {
    const lanes = new DeliveryLanes(SUBSCRIPTION, async () => accept, systemClock);
    lanes.pause();
    const waiting = lanes.run(delivery('1'));
    await lanes.stop(0);
    await expect(waiting).resolves.toEqual(release);
  });
});

describe('the concurrency of delivery lanes', () => {
  it('can be raised: those that wait begin at once', async () => {
    const gate = new Gate();
    const received = recordingReceive(() => gate.opened.then(() => accept));
    const lanes = new DeliveryLanes({ ordered: false, concurrency: 1 }, received.receive, systemClock);
    const all = ['1', '2', '3', '4'].map((id) => lanes.run(delivery(id)));
    lanes.setConcurrency(3);
    await settled();
    expect([received.running, lanes.concurrency]).toEqual([3, 3]);
    gate.open();
    await Promise.all(all);
    expect(received.mostAtOnce).toBe(3);
  });

  it('can be lowered: places go as handlers end', async () => {
    const gates = Array.from({ length: 6 }, () => new Gate());
    let begun = 0;
    const received = recordingReceive(() => gates[begun++]!.opened.then(() => accept));
    const lanes = new DeliveryLanes({ ordered: false, concurrency: 3 }, received.receive, systemClock);
    const all = gates.map((_, index) => lanes.run(delivery(String(index))));
    lanes.setConcurrency(1);
    gates[0]!.open();
    gates[1]!.open();
    await Promise.all([all[0], all[1]]);
    await settled();
    expect(received.ids).toHaveLength(3);
    gates[2]!.open();
    await until('the fourth', () => received.ids.length === 4);
    await settled();
    expect(received.running).toBe(1);
    for (const gate of gates) gate.open();
    await Promise.all(all);
  });

  it.each([[0], [-1], [1.5], [NaN]])('refuses %d', (concurrency) => {
    const lanes = new DeliveryLanes(SUBSCRIPTION, async () => accept, systemClock);
    expect(() => lanes.setConcurrency(concurrency)).toThrow(OptionsError);
  });
});
