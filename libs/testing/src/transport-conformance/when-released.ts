import { accept, retry, type Settlement } from '@tidings/core';
import type { Behaviour } from './behaviour';

export const whenReleased: readonly Behaviour[] = [
  {
    name: 'released by a stop: delivered again, no attempt counted',
    needs: [],
    run: async (scene) => {
      const [first, second] = [await scene.transport(), await scene.transport()];
      const deaf = scene.recording(({ attempt }) =>
        attempt < 2 ? retry(0) : new Promise<Settlement>(() => undefined),
      );
      const active = await scene.subscribe(first, deaf);
      await scene.publish(first, scene.messages(1));
      await deaf.received(2);
      await active.stop(20);
      const next = scene.recording();
      await scene.subscribe(second, next);
      await next.received(1);
      expect(next.deliveries[0]).toMatchObject({ attempt: 2, redelivered: true });
    },
  },
  {
    name: 'a retry that is not counted leaves the attempt as it was',
    needs: [],
    run: async (scene) => {
      const transport = await scene.transport();
      const answers = [retry(0, { counted: false }), retry(0), retry(0, { counted: false }), accept];
      const recording = scene.recording(() => answers[recording.deliveries.length - 1] ?? accept);
      await scene.subscribe(transport, recording);
      await scene.publish(transport, scene.messages(1));
      await recording.received(4);
      expect(recording.deliveries.map(({ attempt }) => attempt)).toEqual([1, 1, 2, 2]);
      expect(recording.deliveries.map(({ redelivered }) => redelivered)).toEqual([false, true, true, true]);
    },
  },
  {
    name: 'the attempt goes on counting at another consumer',
    needs: ['delay'],
    run: async (scene) => {
      const [first, second] = [await scene.transport(), await scene.transport()];
      const leaving = scene.recording(() => retry(300));
      const active = await scene.subscribe(first, leaving);
      await scene.publish(first, scene.messages(1));
      await leaving.received(1);
      await active.stop(5_000);
      const staying = scene.recording();
      await scene.subscribe(second, staying);
      await staying.received(1);
      expect(staying.deliveries[0]).toMatchObject({ attempt: 2, redelivered: true });
      expect(leaving.deliveries).toHaveLength(1);
    },
  },
];
