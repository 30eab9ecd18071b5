import type { Behaviour } from './behaviour';

export const whenBroadcast: readonly Behaviour[] = [
  {
    name: 'broadcast: every consumer gets every message',
    needs: ['broadcast'],
    run: async (scene) => {
      const [first, second] = [await scene.transport(), await scene.transport()];
      const [one, two] = [scene.recording(), scene.recording()];
      await scene.subscribe(first, one, { broadcast: true });
      await scene.subscribe(second, two, { broadcast: true });
      const messages = scene.messages(10);
      await scene.publish(first, messages);
      const ids = messages.map(({ id }) => id).sort();
      await one.received(10);
      await two.received(10);
      expect([...one.ids].sort()).toEqual(ids);
      expect([...two.ids].sort()).toEqual(ids);
    },
  },
  {
    name: 'broadcast: nothing is kept for a consumer that is away',
    needs: ['broadcast'],
    run: async (scene) => {
      const [first, second] = [await scene.transport(), await scene.transport()];
      const [leaving, staying, back] = [scene.recording(), scene.recording(), scene.recording()];
      const active = await scene.subscribe(first, leaving, { broadcast: true });
      await scene.subscribe(second, staying, { broadcast: true });
      await active.stop(1_000);
      const [missed, marker] = [scene.messages(3), scene.messages(1)];
      await scene.publish(second, missed);
      await staying.received(3);
      await scene.subscribe(first, back, { broadcast: true });
      await scene.publish(second, marker);
      await back.received(1);
      expect(back.ids).toEqual(marker.map(({ id }) => id));
      expect(leaving.deliveries).toEqual([]);
    },
  },
];
