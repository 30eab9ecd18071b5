import { accept } from '@tidings/core';
import type { Behaviour } from './behaviour';

export const whenAConsumerLeaves: readonly Behaviour[] = [
  {
    name: 'a key keeps its order when consumers come and go',
    needs: ['ordered'],
    timeoutMs: 60_000,
    run: async (scene) => {
      const [sender, first, second] = [await scene.transport(), await scene.transport(), await scene.transport()];
      const handled: string[] = [];
      const gate = scene.gate();
      const messages = Array.from({ length: 20 }, () =>
        ['a', 'b', 'c'].flatMap((key) => scene.messages(1, { key })),
      ).flat();
      const recording = scene.recording(async ({ message }) => {
        if (message.id === messages[0]!.id) await gate.opened; // the leaving consumer holds it until it must go
        await scene.yield(handled.length % 4);
        handled.push(message.id);
        return accept;
      });
      const leaving = await scene.subscribe(first, recording, { ordered: true, concurrency: 2 });
      await scene.publish(sender, messages.slice(0, 30));
      await recording.receivedAll([messages[0]!.id]);
      await scene.subscribe(second, recording, { ordered: true, concurrency: 2 });
      await scene.publish(sender, messages.slice(30));
      const stopping = leaving.stop(5_000);
      await scene.lull();
      gate.open();
      await stopping;
      await scene.untilTrue('all handled', () => handled.length >= messages.length);
      for (const key of ['a', 'b', 'c']) {
        const ids = messages.filter((message) => message.key === key).map(({ id }) => id);
        expect(handled.filter((id) => ids.includes(id))).toEqual(ids);
      }
      expect(recording.overlappingKeys).toEqual([]);
    },
  },
  {
    name: 'one consumer stopped: the others of its group go on, and so does its transport',
    needs: [],
    run: async (scene) => {
      const [first, second] = [await scene.transport(), await scene.transport()];
      const [leaving, beside, staying] = [scene.recording(), scene.recording(), scene.recording()];
      const active = await scene.subscribe(first, leaving);
      await scene.subscribe(first, beside, { group: 'badges' });
      await scene.subscribe(second, staying);
      await active.stop(5_000);
      const messages = scene.messages(12);
      await scene.publish(first, messages.slice(0, 6));
      await scene.publish(second, messages.slice(6));
      const ids = messages.map(({ id }) => id).sort();
      await staying.received(12);
      await beside.received(12);
      expect([...staying.ids].sort()).toEqual(ids);
      expect([...beside.ids].sort()).toEqual(ids);
      expect(leaving.deliveries).toEqual([]);
      expect(first.health().up).toBe(true);
    },
  },
];
