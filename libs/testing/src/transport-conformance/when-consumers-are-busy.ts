import { accept } from '@tidings/core';
import type { Gate } from '../gate';
import type { Behaviour } from './behaviour';

export const whenConsumersAreBusy: readonly Behaviour[] = [
  {
    name: 'concurrency is reached and never exceeded',
    needs: [],
    run: async (scene) => {
      const transport = await scene.transport();
      const waiting: Gate[] = [];
      const recording = scene.recording(async () => {
        const gate = scene.gate();
        waiting.push(gate);
        await gate.opened;
        return accept;
      });
      await scene.subscribe(transport, recording, { concurrency: 3 });
      await scene.publish(transport, scene.messages(12));
      for (let done = 0; done < 12; done++) {
        const expected = Math.min(3, 12 - done);
        await scene.untilTrue(`${expected} handlers at once`, () => recording.running >= expected);
        waiting.shift()!.open(); // one goes, one comes
        await scene.untilTrue(
          'a handler ended',
          () => recording.running < expected || recording.deliveries.length > done + expected,
        );
      }
      expect(recording.mostAtOnce).toBe(3);
      expect(new Set(recording.ids).size).toBe(12);
    },
  },
];
