import { Gate, leakWarnings, ManualClock, recordingReceive, testMessage, until } from '@tidings/testing';
import type { Delivery } from '../message/message';
import { systemClock } from '../scheduling/clock';
import { accept, release, retry, type Settlement } from '../transport/settlement';
import { DeliveryLanes } from './delivery-lanes';

const delivery = (id: string, key: string | null = 'room-1'): Delivery => ({
  message: testMessage({ id, key }),
  attempt: 1,
  redelivered: false,
});

describe('stopping delivery lanes', () => {
  it('lets those that run end, and releases whatever has not begun', async () => {
    const gate = new Gate();
    const received = recordingReceive(async () => {
      await gate.opened;
      return accept;
    });
    const lanes = new DeliveryLanes({ ordered: true, concurrency: 1 }, received.receive, systemClock);
    const settled = ['1', '2', '3'].map((id, n) => lanes.run(delivery(id, n === 2 ? null : 'room-1')));
    const stopped = lanes.stop(60_000);
    const afterwards = lanes.run(delivery('4', 'room-2'));
    await expect(Promise.all([settled[2], afterwards])).resolves.toEqual([release, release]);
    gate.open();
    await expect(Promise.all(settled)).resolves.toEqual([accept, release, release]);
    await stopped;
    expect(received.ids).toEqual(['1']);
    expect(lanes.inFlight).toBe(0);
  });

  it('ends as soon as the last one has ended', async () => {
    const clock = new ManualClock();
    const lanes = new DeliveryLanes({ ordered: true, concurrency: 1 }, async () => accept, clock);
    await lanes.run(delivery('1'));
    await lanes.stop(60_000);
    expect(clock.sleeping).toBe(0);
  });

  it('releases a head that waits for its retry, at once and its followers with it', async () => {
    const clock = new ManualClock();
    const received = recordingReceive(() => retry(60_000));
    const lanes = new DeliveryLanes({ ordered: true, concurrency: 2 }, received.receive, clock);
    const settled = Promise.all(['1', '2'].map((id) => lanes.run(delivery(id))));
    await until('the head waits', () => clock.sleeping === 1);
    await lanes.stop(60_000);
    await expect(settled).resolves.toEqual([release, release]);
    expect(received.ids).toEqual(['1']);
  });

  it('releases a head that fails while the stop drains, instead of waiting for its retry', async () => {
    const clock = new ManualClock();
    const gate = new Gate();
    const receive = async (): Promise<Settlement> => {
      await gate.opened;
      return retry(60_000);
    };
    const lanes = new DeliveryLanes({ ordered: true, concurrency: 2 }, receive, clock);
    const settled = lanes.run(delivery('1'));
    const stopped = lanes.stop(5_000);
    gate.open();
    await expect(settled).resolves.toEqual(release);
    await stopped;
  });

  it('leaves the signal of what is already settled alone', async () => {
    let seen: AbortSignal | undefined;
    const receive = async (_: Delivery, signal: AbortSignal): Promise<Settlement> => {
      seen = signal;
      return accept;
    };
    const lanes = new DeliveryLanes({ ordered: true, concurrency: 1 }, receive, systemClock);
    await lanes.run(delivery('1'));
    await lanes.stop(0);
    expect(seen?.aborted).toBe(false);
  });

  it('does not wait longer than the drain time for a handler that ignores its signal, and drops its late answer', async () => {
    const clock = new ManualClock();
    const gate = new Gate();
    let aborted = false;
    const lanes = new DeliveryLanes(
      { ordered: true, concurrency: 2 },
      async (_, signal) => {
        await gate.opened;
        aborted = signal.aborted;
        return accept;
      },
      clock,
    );
    const settled = Promise.all(['1', '2'].map((id) => lanes.run(delivery(id))));
    const stopped = lanes.stop(5_000);
    await until('the stop waits', () => clock.sleeping === 1);
    clock.advance(5_000);
    await stopped;
    await expect(settled).resolves.toEqual([release, release]);
    gate.open();
    await until('the handler ended', () => aborted);
    expect(lanes.inFlight).toBe(0);
  });

  it('aborts the signal of those that run, after the drain time and not before', async () => {
    const clock = new ManualClock();
    const signals: AbortSignal[] = [];
    const lanes = new DeliveryLanes(
      { ordered: false, concurrency: 2 },
      (_, signal) => {
        signals.push(signal);
        return new Promise<Settlement>((resolve) => signal.addEventListener('abort', () => resolve(accept)));
      },
      clock,
    );
    const settled = Promise.all(['1', '2'].map((id) => lanes.run(delivery(id, null))));
    const stopped = lanes.stop(5_000);
    await until('the stop waits', () => clock.sleeping === 1);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false]);
    clock.advance(5_000);
    await stopped;
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
    await settled;
  });

  it('is safe twice, concurrently and before any delivery; the shorter drain time wins', async () => {
    const gate = new Gate();
    const lanes = new DeliveryLanes(
      { ordered: true, concurrency: 1 },
      async () => {
        await gate.opened;
        return accept;
      },
      systemClock,
    );
    const running = lanes.run(delivery('1'));
    const patient = lanes.stop(60_000);
    await lanes.stop(0);
    await patient;
    await expect(running).resolves.toEqual(release);
    await lanes.stop(0);
    gate.open();

    const idle = new DeliveryLanes({ ordered: true, concurrency: 1 }, async () => accept, systemClock);
    await Promise.all([idle.stop(1_000), idle.stop(1_000)]);
    await expect(idle.run(delivery('1'))).resolves.toEqual(release);
  });

  it('warns of no leaking listeners, however many deliveries run or wait', async () => {
    const leaks = leakWarnings();
    const gate = new Gate();
    const lanes = new DeliveryLanes(
      { ordered: true, concurrency: 40 },
      async ({ message }, signal) => {
        if (message.id.startsWith('failing')) return retry(60_000);
        signal.addEventListener('abort', () => undefined);
        await gate.opened;
        return accept;
      },
      systemClock,
    );
    const ids = Array.from({ length: 30 }, (_, n) => n);
    const settled = Promise.all([
      ...ids.map((n) => lanes.run(delivery(`${n}`, null))),
      ...ids.map((n) => lanes.run(delivery(`failing-${n}`, `room-${n}`))),
    ]);
    await systemClock.wait(5); // a warning is emitted in a later turn
    gate.open();
    await lanes.stop(1_000);
    await settled;
    leaks.stop();
    expect(leaks.warnings).toEqual([]);
  });
});
