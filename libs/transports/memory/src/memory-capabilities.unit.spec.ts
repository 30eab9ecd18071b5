import { CapabilityError, type CapabilityName, has, type Subscription } from '@tidings/core';
import {
  behaviours,
  notApplicable,
  recordingReceive,
  runBehaviour,
  testMessage,
  type TransportHarness,
  until,
} from '@tidings/testing';
import { memory, MemoryBroker } from './index';

const SWITCHABLE = (Object.entries(memory().capabilities) as [CapabilityName, true | string][]).flatMap(
  ([name, capability]) => (has(capability) ? [name] : []),
);
const SUBSCRIPTION: Subscription = {
  topic: 'gift.sent',
  group: 'ranking',
  ordered: false,
  broadcast: false,
  concurrency: 1,
  from: 'now',
};
const { receive } = recordingReceive();

const without = async (...names: CapabilityName[]) => {
  const transport = memory({ without: names });
  await transport.connect();
  return transport;
};

const harnessWithout = (names: readonly CapabilityName[]): TransportHarness => {
  const broker = new MemoryBroker();
  return {
    kind: 'memory',
    capabilities: memory({ without: names }).capabilities,
    create: () => memory({ without: names, broker }),
    cut: () => broker.cut(),
    close: async () => undefined,
  };
};

describe('memory without', () => {
  it.each<[CapabilityName, Partial<Subscription>]>([
    ['ordered', { ordered: true }],
    ['broadcast', { broadcast: true }],
    ['replay', { from: 'earliest' }],
  ])('%s refuses such a subscription', async (name, asked) => {
    const transport = await without(name);
    await expect(transport.subscribe({ ...SUBSCRIPTION, ...asked }, receive)).rejects.toThrow(CapabilityError);
    expect(await transport.hasGroup('gift.sent', 'ranking')).toBe(false); // before anything is declared
    await transport.subscribe(SUBSCRIPTION, receive);
    expect(await transport.hasGroup('gift.sent', 'ranking')).toBe(true);
    await transport.close();
  });

  it('nothing: tells every group that a topic reaches, so that one that is missing shows', async () => {
    const transport = memory({ broker: new MemoryBroker() });
    await transport.connect();
    for (const group of ['ranking', 'badges']) {
      const active = await transport.subscribe({ ...SUBSCRIPTION, group }, receive);
      await active.stop(0); // reached all the same: its queue keeps what comes
    }
    const groups = ['ranking', 'badges', 'revenue'];
    const found = await Promise.all(groups.map((group) => transport.hasGroup(SUBSCRIPTION.topic, group)));
    expect(found).toEqual([true, true, false]);
    await transport.close();
  });

  it('delay refuses a delayed publish, and retries at once', async () => {
    const transport = await without('delay');
    await expect(transport.publish([{ message: testMessage(), delayMs: 1 }])).rejects.toThrow(CapabilityError);
    const recording = recordingReceive(({ attempt }) =>
      attempt === 1 ? { kind: 'retry', afterMs: 60_000, counted: true } : { kind: 'accept' },
    );
    await transport.subscribe(SUBSCRIPTION, recording.receive);
    await transport.publish([{ message: testMessage() }]);
    await recording.received(2);
    await transport.close();
  });

  it('unroutable confirms what nobody hears', async () => {
    const transport = await without('unroutable');
    expect(await transport.publish([{ message: testMessage() }])).toEqual([{ outcome: 'confirmed' }]);
    await transport.close();
  });

  it('deadLetters has none to read', async () => {
    const transport = await without('deadLetters');
    await expect(transport.nativeDeadLetters('gift.sent', 'ranking', 1)).rejects.toThrow(CapabilityError);
    await transport.close();
  });

  it('largePayload refuses 1 MiB as too large', async () => {
    const transport = await without('largePayload');
    const [result] = await transport.publish([{ message: testMessage({ payload: Buffer.alloc(1_048_576) }) }]);
    expect(result).toMatchObject({ outcome: 'failed', reason: 'too-large' });
    await transport.close();
  });

  it.each(SWITCHABLE)('%s: the suite calls not applicable what needs it, and the rest still holds', async (name) => {
    const harness = harnessWithout([name]);
    const needing = behaviours.filter(({ needs }) => needs.includes(name) && !needs.includes('processes'));
    for (const behaviour of needing) expect(notApplicable(behaviour, harness)).toContain(`no ${name}: switched off`);
    expect(needing.length).toBeGreaterThan(0);
    expect(notApplicable(behaviours[0]!, harness)).toBeUndefined();
  });

  it('all of them, every behaviour that still applies holds', async () => {
    const harness = harnessWithout(SWITCHABLE);
    const left = behaviours.filter((behaviour) => notApplicable(behaviour, harness) === undefined);
    expect(left.length).toBeGreaterThan(20);
    for (const behaviour of left) await runBehaviour(harness, behaviour);
  });
});

describe("memory's options", () => {
  it('name the bad one', () => {
    expect(() => memory({ without: ['delay', 'speed' as CapabilityName] })).toThrow(
      'memory.without.1: expected one of durable, ordered',
    );
    expect(() => memory({ drainMs: -1 })).toThrow('memory.drainMs: expected 0 or more, found -1');
  });

  it('a delay outlives the last transport: it goes on when one connects again', async () => {
    const broker = new MemoryBroker();
    const first = memory({ broker });
    await first.connect();
    const recording = recordingReceive();
    await first.subscribe(SUBSCRIPTION, recording.receive);
    await first.publish([{ message: testMessage(), delayMs: 30 }]);
    await first.close();
    const second = memory({ broker });
    await second.connect();
    await second.subscribe(SUBSCRIPTION, recording.receive);
    await until('the delayed message', () => recording.deliveries.length === 1);
    await second.close();
  });

  it('a group is ordered or not, for all of its consumers', async () => {
    const transport = memory();
    await transport.connect();
    await transport.subscribe(SUBSCRIPTION, receive);
    await expect(transport.subscribe({ ...SUBSCRIPTION, ordered: true }, receive)).rejects.toThrow(
      'group ranking of gift.sent is unordered, asked was ordered',
    );
    await transport.close();
  });

  it('a broadcast is forgotten with its consumer', async () => {
    const transport = memory();
    await transport.connect();
    const active = await transport.subscribe({ ...SUBSCRIPTION, broadcast: true }, receive);
    await active.stop(0);
    expect(await transport.publish([{ message: testMessage() }])).toMatchObject([{ reason: 'unroutable' }]);
    await transport.close();
  });
});
