import { Gate, testMessage } from '@tidings/testing';
import type { Delivery } from '../message/message';
import { systemClock } from '../scheduling/clock';
import { accept, retry, type Settlement } from '../transport/settlement';
import { DeliveryLanes } from './delivery-lanes';

const TYPE = testMessage().type;
const delivery = (id: string, more: Partial<Delivery> = {}, key: string | null = null): Delivery => ({
  ...{ message: testMessage({ id, key }), attempt: 1, redelivered: false },
  ...more,
});

/** What was handed over, a line for each turn: the ids of a batch, or one that is alone, with its attempt. */
function lanesOf(settle: (delivery: Delivery) => Settlement | Promise<Settlement> = () => accept, ordered = false) {
  const turns: string[] = [];
  const batching = { places: 1, byType: new Map([[TYPE, { size: 10, waitMs: 0 }]]) };
  const lanes = new DeliveryLanes(
    { ordered, concurrency: 10, batching },
    async (one) => {
      const { batch, message, attempt } = one;
      if (!batch) turns.push(`${message.id}:${attempt}`);
      else if (batch.messages[0] === message) turns.push(batch.messages.map(({ id }) => id).join());
      return settle(one);
    },
    systemClock,
  );
  const run = (...deliveries: Delivery[]) => Promise.all(deliveries.map((one) => lanes.run(one)));
  return { turns, run };
}

describe('delivery lanes with batches', () => {
  it('fill the next batch while one runs', async () => {
    const gate = new Gate();
    const { turns, run } = lanesOf(() => gate.opened.then(() => accept));
    const first = run(delivery('1'), delivery('2'));
    await new Promise((resolve) => setImmediate(resolve));
    const next = run(delivery('3'), delivery('4'));
    gate.open();
    await Promise.all([first, next]);
    expect(turns).toEqual(['1,2', '3,4']);
  });

  it('hand over alone what has failed before: it would drag the others through its failure once more', async () => {
    const { turns, run } = lanesOf();
    await run(delivery('1'), delivery('2', { attempt: 2 }), delivery('3'));
    expect(turns.sort()).toEqual(['1,3', '2:2']);
  });

  it('hand over alone what may have ended its process: a crash in its batch would be charged to all of it', async () => {
    const { turns, run } = lanesOf();
    await run(delivery('1'), delivery('2', { redelivered: true }), delivery('3'));
    expect(turns.sort()).toEqual(['1,3', '2:1']);
  });

  it('keep the order of a key around one that goes alone', async () => {
    const { turns, run } = lanesOf(undefined, true);
    const [a, b] = ['a', 'b'];
    await run(
      delivery('1', {}, a),
      delivery('2', { redelivered: true }, a),
      delivery('3', {}, a),
      delivery('4', {}, a),
      delivery('5', {}, b),
    );
    expect(turns).toEqual(['1,5', '2:1', '3,4']);
  });

  it('try a failed head again alone, and its followers after it, together', async () => {
    const { turns, run } = lanesOf(({ message: { id }, attempt }) => {
      if (id === '1' && attempt < 3) return retry(0);
      // As the gate does with what follows a failed one.
      return attempt === 1 && turns.length === 1 ? retry(0, { counted: false }) : accept;
    }, true);
    await run(delivery('1', {}, 'a'), delivery('2', {}, 'a'), delivery('3', {}, 'a'));
    expect([turns[0], turns[1], turns[2]]).toEqual(['1,2,3', '1:2', '1:3']);
    expect(turns.slice(3)).toEqual(['2,3']);
  });
});
