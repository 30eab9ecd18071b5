import { accept } from '@tidings/core';
import type { Behaviour } from './behaviour';

export const whenPublishedAgain: readonly Behaviour[] = [
  {
    name: 'published again, as by a redrive: delivered again, during and after the first',
    needs: [],
    run: async (scene) => {
      const transport = await scene.transport();
      const gate = scene.gate();
      const recording = scene.recording(() => gate.opened.then(() => accept));
      await scene.subscribe(transport, recording);
      const [message] = scene.messages(1);
      const redriven = { ...message!, generation: 1 };
      await scene.publish(transport, [message!, message!]); // a relay's copy: telling it apart is the inbox's business
      await recording.received(1);
      await scene.publish(transport, [redriven]); // while the first is handled
      gate.open();
      await recording.received(3);
      await scene.untilTrue('all handled', () => recording.running === 0);
      await scene.publish(transport, [redriven]);
      await recording.received(4);
      const generations = recording.deliveries.map(({ message: { generation } }) => generation);
      expect(generations.sort()).toEqual([0, 0, 1, 1]);
      expect(new Set(recording.ids)).toEqual(new Set([message!.id]));
    },
  },
  {
    name: 'many publish at once: each call keeps the order of its keys',
    needs: ['ordered'],
    run: async (scene) => {
      const transport = await scene.transport();
      const recording = scene.recording();
      await scene.subscribe(transport, recording, { ordered: true });
      const calls = Array.from({ length: 25 }, (_, call) => scene.messages(6, { key: `room-${call % 5}` }));
      await Promise.all(calls.map((messages) => scene.publish(transport, messages)));
      await recording.received(150);
      expect(new Set(recording.ids).size).toBe(150);
      for (const call of calls) {
        const ids = call.map(({ id }) => id);
        expect(recording.ids.filter((id) => ids.includes(id))).toEqual(ids);
      }
      expect(recording.overlappingKeys).toEqual([]);
    },
  },
];
