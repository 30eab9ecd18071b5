import { accept, retry } from '@tidings/core';
import { describePrivate, Gate, recordingReceive, RestartScene, testMessage, until } from '@tidings/testing';
import type { RabbitMqOptions } from './rabbitmq.options';
import { RabbitMqTransport } from './rabbitmq.transport';

const group = { group: 'ranking', ordered: false, broadcast: false, concurrency: 10, from: 'now' } as const;
const LONG_MS = 240_000;
const PATIENCE_MS = 60_000;
/** Longer than rabbitmqctl, a process of Erlang's each time, takes to see the queue on a busy machine. */
const DELAY_MS = 12_000;

describePrivate('rabbitmq', 'the RabbitMQ transport, when its broker restarts', (node) => {
  const scene = new RestartScene(
    (options?: Partial<RabbitMqOptions>) =>
      new RabbitMqTransport({ urls: node().url, reconnectMaxMs: 500, orderedQueues: 4, ...options }),
  );

  it.each(['stop', 'crash'] as const)(
    'loses nothing and swaps nothing of what is published, handled and settled in its middle: %s',
    (end) => scene.inTheMiddle(node(), end),
    LONG_MS,
  );

  it(
    'does not deliver again what was settled, and delivers again what was not, as redelivered',
    async () => {
      const [sender, receiver] = [await scene.connected(), await scene.connected()];
      const subscription = { ...group, topic: 'settled' };
      const done = recordingReceive();
      const active = await receiver.subscribe(subscription, done.receive);
      const before = Array.from({ length: 30 }, () => testMessage({ topic: 'settled' }));
      await scene.relay(sender, before);
      await done.receivedAll(before.map(({ id }) => id));
      await active.stop(5_000); // settled at the broker for certain
      const gate = new Gate();
      const held = recordingReceive(() => gate.opened.then(() => accept));
      await receiver.subscribe(subscription, held.receive);
      const inHand = testMessage({ topic: 'settled' });
      await scene.relay(sender, [inHand]);
      await held.received(1);
      await node().stop();
      await node().start();
      await held.received(2, PATIENCE_MS);
      gate.open();
      expect(held.ids).toEqual([inHand.id, inHand.id]);
      expect(held.deliveries[1]?.redelivered).toBe(true);
    },
    LONG_MS,
  );

  it(
    'keeps a retry that waits for its delay',
    async () => {
      const transport = await scene.connected();
      const recording = recordingReceive(({ attempt }) => (attempt === 1 ? retry(DELAY_MS) : accept));
      await transport.subscribe({ ...group, topic: 'waiting' }, recording.receive);
      await scene.relay(transport, [testMessage({ topic: 'waiting' })]);
      await recording.received(1);
      // Filed in the queue of its delay, from where the broker itself brings it back.
      await until(
        'the retry waits at the broker',
        async () => {
          const queues = await node().ctl('-q', 'list_queues', 'name', 'messages');
          return /delay\S*\s+1$/m.test(queues);
        },
        { withinMs: PATIENCE_MS },
      );
      await node().crash();
      await node().start();
      await recording.received(2, PATIENCE_MS);
      expect(recording.deliveries[1]).toMatchObject({ attempt: 2, redelivered: true });
    },
    LONG_MS,
  );

  it(
    'blocked by a memory alarm: publishes fail for now, consumers go on, and it goes on when the alarm is over',
    async () => {
      const transport = await scene.connected({ confirmTimeoutMs: 1_000 });
      const subscription = { ...group, topic: 'alarmed' };
      const active = await transport.subscribe(subscription, recordingReceive().receive);
      await active.stop(1_000);
      const queued = testMessage({ topic: 'alarmed' });
      await scene.relay(transport, [queued]);
      await node().ctl('set_vm_memory_high_watermark', '0.000001');
      try {
        const refused = async (): Promise<boolean> => {
          const [result] = await transport.publish([{ message: testMessage({ topic: 'alarmed' }) }]);
          return result?.outcome === 'failed' && result.reason === 'transient';
        };
        await until('the broker takes nothing more', refused, { withinMs: PATIENCE_MS });
        const recording = recordingReceive();
        await transport.subscribe(subscription, recording.receive);
        await recording.receivedAll([queued.id]);
      } finally {
        await node().ctl('set_vm_memory_high_watermark', '0.6');
      }
      const after = recordingReceive();
      await transport.subscribe({ ...group, topic: 'over' }, after.receive);
      const late = testMessage({ topic: 'over' });
      await scene.relay(transport, [late]);
      await after.receivedAll([late.id], PATIENCE_MS);
    },
    LONG_MS,
  );
});
