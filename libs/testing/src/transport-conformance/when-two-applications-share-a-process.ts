import type { Behaviour } from './behaviour';

export const whenTwoApplicationsShareAProcess: readonly Behaviour[] = [
  {
    name: 'two applications in one process: one is closed, the other goes on',
    needs: [],
    run: async (scene) => {
      const [leaving, staying] = [await scene.transport(), await scene.transport()];
      const [gone, here] = [scene.recording(), scene.recording()];
      await scene.subscribe(leaving, gone, { group: 'ranking' });
      const active = await scene.subscribe(staying, here, { group: 'badges' });
      const [before, after] = [scene.messages(3), scene.messages(3)];
      await scene.publish(leaving, before);
      await gone.received(3);
      await here.received(3);
      await leaving.close();
      await scene.publish(staying, after);
      await here.received(6);
      expect([...here.ids].sort()).toEqual([...before, ...after].map(({ id }) => id).sort());
      expect(gone.deliveries).toHaveLength(3);
      expect(active.healthy()).toBe(true);
      expect({ staying: staying.health().up, leaving: leaving.health().up }).toEqual({ staying: true, leaving: false });
    },
  },
];
