import { accept, defineMessage, HEADERS, type Message, MessageFactory, type OutgoingMessage, systemClock } from '@tidings/core'; // prettier-ignore
import { memory, type MemoryTransport } from '@tidings/memory';
import { Recheck } from '@tidings/messaging';
import { until } from '@tidings/testing';
import { z } from 'zod';
import { faultyTransport, type SenderFault } from './faulty-transport';

const Counted = defineMessage('counted', { schema: z.object({ n: z.number() }), key: () => 'one' });
const CONFIRM = { headers: { [HEADERS.confirm]: '1' } };
const GROUP = { group: 'g', ordered: false, broadcast: false, concurrency: 1, from: 'now' } as const;

describe('a faulty transport', () => {
  let inner: MemoryTransport;
  let arrived: string[];
  let recorded: [SenderFault, string][];
  const factory = new MessageFactory('spec', systemClock);
  const record = async (fault: SenderFault, id: string): Promise<void> => void recorded.push([fault, id]);

  beforeEach(async () => {
    inner = memory();
    arrived = [];
    recorded = [];
    await inner.connect();
    for (const topic of [Counted.topic, Recheck.topic])
      await inner.subscribe({ ...GROUP, topic }, async ({ message }) => {
        arrived.push(message.id);
        return accept;
      });
  });
  afterEach(() => inner.close());

  const counted = (n: number, options = {}): Promise<Message> =>
    factory.create(Counted, { n }, { id: `m${n}`, ...options });
  const recheckOf = ({ id, source, type, topic, key, time, bucket }: Message): Promise<Message> => {
    const about = { id, source, type, topic, key, time, bucket: bucket!, headers: {}, transaction: null };
    return factory.create(Recheck, { ...about, groups: null, afterMs: 0 });
  };
  const outcomes = async (faults: { drop?: number; rollBack?: number }, messages: readonly OutgoingMessage[]) => {
    const transport = faultyTransport(inner, { drop: 0, rollBack: 0, seed: 1, ...faults }, record);
    return (await transport.publish(messages)).map((result) => result.outcome);
  };

  it('confirms what it drops, one of each stratum, and records it', async () => {
    const messages = await Promise.all(Array.from({ length: 20 }, (_, n) => counted(n, CONFIRM)));
    expect(
      await outcomes(
        { drop: 0.1 },
        messages.map((message) => ({ message })),
      ),
    ).toEqual(Array(20).fill('confirmed'));
    await until('the others arrived', () => arrived.length === 18);
    expect(recorded.map(([fault]) => fault)).toEqual(['dropped', 'dropped']);
    expect([...arrived, ...recorded.map(([, id]) => id)].sort()).toEqual(messages.map(({ id }) => id).sort());
  });

  it('drops nothing that is sent again, nor what nobody is to confirm', async () => {
    const message = await counted(1, CONFIRM);
    const transport = faultyTransport(inner, { drop: 0.5, rollBack: 0.5, seed: 1 }, record);
    for (let n = 0; n < 4; n++) {
      await transport.publish([{ message, group: 'g' }]);
      await transport.publish([{ message: await counted(10 + n) }]);
    }
    await until('all arrived', () => arrived.length === 8);
    expect(recorded).toEqual([]);
  });

  it('sends a recheck and denies it, and tells of the message that it is about', async () => {
    const messages = await Promise.all(Array.from({ length: 4 }, (_, n) => counted(n, CONFIRM)));
    const rechecks = await Promise.all(messages.map(recheckOf));
    const results = await outcomes({ rollBack: 0.25 }, rechecks.map((message) => ({ message }))); // prettier-ignore
    await until('all four arrived', () => arrived.length === 4);
    expect(results.filter((outcome) => outcome === 'failed')).toHaveLength(1);
    expect(recorded).toEqual([['rolled-back', messages[results.indexOf('failed')]!.id]]);
  });
});
