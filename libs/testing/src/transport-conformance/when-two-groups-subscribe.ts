import type { Behaviour } from './behaviour';

export const whenTwoGroupsSubscribe: readonly Behaviour[] = [
  {
    name: 'two groups both receive',
    needs: [],
    run: async (scene) => {
      const [first, second] = [await scene.transport(), await scene.transport()];
      const [ranking, badges] = [scene.recording(), scene.recording()];
      await scene.subscribe(first, ranking, { group: 'ranking' });
      await scene.subscribe(second, badges, { group: 'badges' });
      const messages = scene.messages(10);
      await scene.publish(first, messages);
      const ids = messages.map(({ id }) => id).sort();
      await ranking.received(10);
      await badges.received(10);
      expect([...ranking.ids].sort()).toEqual(ids);
      expect([...badges.ids].sort()).toEqual(ids);
    },
  },
  {
    name: 'a message for one group reaches only that group, with its attempts',
    needs: [],
    run: async (scene) => {
      const transport = await scene.transport();
      const [ranking, badges] = [scene.recording(), scene.recording()];
      await scene.subscribe(transport, ranking, { group: 'ranking' });
      await scene.subscribe(transport, badges, { group: 'badges' });
      const [retried, marker] = [scene.messages(1), scene.messages(1)];
      await scene.publish(transport, retried, { group: 'badges', attempts: 2 });
      await scene.publish(transport, marker);
      await ranking.received(1);
      await badges.received(2);
      expect(ranking.ids).toEqual(marker.map(({ id }) => id));
      expect(badges.deliveries.find(({ message }) => message.id === retried[0]?.id)?.attempt).toBe(3);
    },
  },
];
