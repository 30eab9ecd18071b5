import {
  accept,
  type Delivery,
  defineMessage,
  MessageFactory,
  type Receive,
  systemClock,
  type Subscription,
} from '@tidings/core';
import { memory, type MemoryTransport } from '@tidings/memory';
import { until } from '@tidings/testing';
import { z } from 'zod';
import type { Sabotage } from '../platform-config';
import { sabotagedTransport } from './sabotaged-transport';

const Counted = defineMessage('counted', { schema: z.object({ n: z.number() }), key: () => 'one' });
const GROUP: Subscription = {
  topic: 'counted',
  group: 'g',
  ordered: true,
  broadcast: false,
  concurrency: 1,
  from: 'now',
};

describe('a sabotaged transport', () => {
  let inner: MemoryTransport;
  const factory = new MessageFactory('spec', systemClock);

  beforeEach(() => {
    inner = memory();
  });
  afterEach(() => inner.close());

  async function receive(sabotage: Sabotage, count: number, handle: Receive = async () => accept): Promise<Delivery[]> {
    const transport = sabotagedTransport(inner, sabotage, systemClock);
    const seen: Delivery[] = [];
    await transport.connect();
    await transport.subscribe(GROUP, (delivery, signal) => {
      seen.push(delivery);
      return handle(delivery, signal);
    });
    const messages = await Promise.all(Array.from({ length: count }, (_, n) => factory.create(Counted, { n })));
    await transport.publish(messages.map((message) => ({ message })));
    await until('all were received', () => seen.length === count);
    return seen;
  }

  const numbers = async (deliveries: Delivery[]): Promise<number[]> =>
    Promise.all(deliveries.map(async ({ message }) => (await Counted.decode(message)).n));

  it('without an inbox gives every delivery another generation', async () => {
    const generations = (await receive('no-inbox', 20)).map(({ message }) => message.generation);
    expect(new Set(generations).size).toBe(20);
    expect(generations).not.toContain(0);
  });

  it('that acknowledges first keeps the order and accepts what fails', async () => {
    const seen = await receive('ack-first', 20, async () => ({ kind: 'reject', reason: 'no' }));
    expect(await numbers(seen)).toEqual(Array.from({ length: 20 }, (_, n) => n));
    expect(await inner.nativeDeadLetters('counted', 'g', 10)).toEqual([]);
  });

  it('without order mixes one key up', async () => {
    const found = await numbers(await receive('no-order', 50));
    expect([...found].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, n) => n));
    expect(found).not.toEqual(Array.from({ length: 50 }, (_, n) => n));
  });

  it('keeps the optional powers of the transport that it wraps', () => {
    const transport = sabotagedTransport(inner, 'no-inbox', systemClock);
    expect(transport.kind).toBe('memory');
    expect('nativeDeadLetters' in transport).toBe(true);
    expect(transport.health()).toEqual(inner.health());
  });
});
