import { accept } from '@tidings/core';
import type { Behaviour } from './behaviour';

export const whenTwoConsumersShareAGroup: readonly Behaviour[] = [
  {
    name: 'two consumers of a group share',
    needs: [],
    run: async (scene) => {
      const [first, second] = [await scene.transport(), await scene.transport()];
      const bothHaveSome = scene.gate();
      const answer = async () => {
        if (one.deliveries.length > 0 && two.deliveries.length > 0) bothHaveSome.open();
        await bothHaveSome.opened; // nobody can take all: each holds its first until the other has one
        return accept;
      };
      const [one, two] = [scene.recording(answer), scene.recording(answer)];
      await scene.subscribe(first, one, { concurrency: 1 });
      await scene.subscribe(second, two, { concurrency: 1 });
      const messages = scene.messages(20);
      await scene.publish(first, messages);
      const ids = messages.map(({ id }) => id);
      await scene.untilTrue('each message at one of the two', () =>
        ids.every((id) => [...one.ids, ...two.ids].includes(id)),
      );
      expect([...one.ids, ...two.ids].sort()).toEqual([...ids].sort());
    },
  },
];
