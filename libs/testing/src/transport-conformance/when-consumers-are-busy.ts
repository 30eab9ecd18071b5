import { accept } from '@tidings/core';
import type { Gate } from '../gate';
import type { Behaviour } from './behaviour';

/** What a transport may take ahead for one consumer of concurrency 1: more would keep idle consumers from work that is there. */
const TAKEN_AHEAD = 4;

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
  {
    name: 'a consumer that is stuck holds what it took, and the others get the rest',
    needs: [],
    run: async (scene) => {
      const [first, second] = [await scene.transport(), await scene.transport()];
      const gate = scene.gate();
      const stuck = scene.recording(() => gate.opened.then(() => accept));
      const free = scene.recording();
      await scene.subscribe(first, stuck, { concurrency: 1 });
      const head = scene.messages(1);
      await scene.publish(first, head);
      await stuck.received(1);
      await scene.subscribe(second, free, { concurrency: 1 });
      const messages = scene.messages(40);
      for (const message of messages) await scene.publish(first, [message]);
      await free.received(40 - TAKEN_AHEAD);
      await scene.lull();
      expect(stuck.deliveries).toHaveLength(1);
      gate.open();
      const ids = [...head, ...messages].map(({ id }) => id);
      await scene.untilTrue('all handled', () => ids.every((id) => [...stuck.ids, ...free.ids].includes(id)));
      expect([...stuck.ids, ...free.ids].sort()).toEqual([...ids].sort());
    },
  },
];
