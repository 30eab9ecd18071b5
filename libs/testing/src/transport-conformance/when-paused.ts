import { accept, type ActiveSubscription } from '@tidings/core';
import type { Behaviour } from './behaviour';
import type { Scene } from './scene';

async function pausedAndResumed(scene: Scene, ordered: boolean): Promise<void> {
  const transport = await scene.transport();
  const recording = scene.recording();
  const active: ActiveSubscription = await scene.subscribe(transport, recording, { ordered });
  const [first, ...others] = scene.messages(30).map((message, index) => ({ ...message, key: `room-${index % 3}` }));
  await scene.publish(transport, [first!]);
  await recording.received(1);
  active.pause();
  active.pause();
  await scene.publish(transport, others);
  await scene.lull();
  expect(recording.deliveries).toHaveLength(1);
  active.admitOne();
  await recording.received(2);
  await scene.lull();
  expect(recording.deliveries).toHaveLength(2);
  active.resume();
  await recording.receivedAll(others.map(({ id }) => id));
  await scene.lull();
  expect(recording.ids).toHaveLength(30); // each once
  expect(recording.deliveries.map(({ attempt }) => attempt)).toEqual(recording.deliveries.map(() => 1));
  if (!ordered) return;
  for (const key of ['room-0', 'room-1', 'room-2']) {
    const sent = [first!, ...others].filter((message) => message.key === key).map(({ id }) => id);
    const came = recording.deliveries.filter(({ message }) => message.key === key).map(({ message }) => message.id);
    expect(came).toEqual(sent);
  }
}

export const whenPaused: readonly Behaviour[] = [
  {
    name: 'paused: nothing begins; resumed: all of it comes, once',
    needs: [],
    run: (scene) => pausedAndResumed(scene, false),
  },
  {
    name: 'paused and resumed: the order of keys is kept',
    needs: ['ordered'],
    run: (scene) => pausedAndResumed(scene, true),
  },
  {
    name: 'paused and stopped: handed back, no attempt counted',
    needs: [],
    run: async (scene) => {
      const transport = await scene.transport();
      const paused = scene.recording();
      const active = await scene.subscribe(transport, paused);
      active.pause();
      const messages = scene.messages(8);
      await scene.publish(transport, messages);
      await scene.lull();
      await active.stop(5_000);
      expect(paused.deliveries).toEqual([]);
      const another = scene.recording();
      await scene.subscribe(await scene.transport(), another);
      await another.receivedAll(messages.map(({ id }) => id));
      expect(new Set(another.deliveries.map(({ attempt }) => attempt))).toEqual(new Set([1]));
    },
  },
  {
    name: 'concurrency raised and lowered while running',
    needs: [],
    timeoutMs: 60_000,
    run: async (scene) => {
      const transport = await scene.transport();
      const gates = Array.from({ length: 40 }, () => scene.gate());
      let begun = 0;
      const recording = scene.recording(async () => {
        await gates[begun++]?.opened;
        return accept;
      });
      const active = await scene.subscribe(transport, recording, { concurrency: 1 });
      await scene.publish(transport, scene.messages(40));
      await scene.untilTrue('one handler', () => recording.running === 1);
      active.setConcurrency(8);
      await scene.untilTrue('eight handlers at once', () => recording.running === 8);
      await scene.lull();
      expect(recording.mostAtOnce).toBe(8);
      active.setConcurrency(2);
      for (const gate of gates.slice(0, 8)) gate.open();
      await scene.untilTrue('two more', () => recording.deliveries.length === 10);
      await scene.lull();
      expect(recording.running).toBe(2);
      expect(() => active.setConcurrency(0)).toThrow('concurrency: must be a whole number from 1, found 0');
      for (const gate of gates) gate.open();
      await recording.received(40);
      expect(new Set(recording.ids).size).toBe(40);
    },
  },
];
