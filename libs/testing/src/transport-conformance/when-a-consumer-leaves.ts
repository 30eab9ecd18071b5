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
      const recording = scene.recording(async ({ message }) => {
        await scene.yield(handled.length % 4);
        handled.push(message.id);
        return accept;
      });
      const leaving = await scene.subscribe(first, recording, { ordered: true, concurrency: 2 });
      const messages = Array.from({ length: 20 }, () =>
        ['a', 'b', 'c'].flatMap((key) => scene.messages(1, { key })),
      ).flat();
      await scene.publish(sender, messages.slice(0, 30));
      await recording.received(5);
      const coming = scene.subscribe(second, recording, { ordered: true, concurrency: 2 });
      const publishing = scene.publish(sender, messages.slice(30));
      await Promise.all([coming, publishing, leaving.stop(5_000)]);
      await scene.untilTrue('all handled', () => handled.length >= messages.length);
      for (const key of ['a', 'b', 'c']) {
        const ids = messages.filter((message) => message.key === key).map(({ id }) => id);
        expect(handled.filter((id) => ids.includes(id))).toEqual(ids);
      }
      expect(recording.overlappingKeys).toEqual([]);
    },
  },
];
