import { accept, retry, systemClock } from '@tidings/core';
import type { Behaviour } from './behaviour';

const DELAY_MS = 400;
/** Timers of two machines and the broker's own rounding. */
const EARLY_MS = 20;

export const whenRetriedAfterADelay: readonly Behaviour[] = [
  {
    name: 'retry after a delay',
    needs: ['delay'],
    run: async (scene) => {
      const transport = await scene.transport();
      const times: number[] = [];
      const [delayed, ...others] = scene.messages(4);
      const recording = scene.recording(({ message, attempt }) => {
        if (message.id !== delayed!.id) return accept;
        times.push(systemClock.monotonic());
        return attempt === 1 ? retry(DELAY_MS) : accept;
      });
      await scene.subscribe(transport, recording, { concurrency: 1 });
      await scene.publish(transport, [delayed!, ...others]);
      await recording.received(5);
      expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(DELAY_MS - EARLY_MS);
      const [last] = recording.ids.slice(-1);
      expect(last).toBe(delayed!.id); // nobody waited for it
      expect([...recording.ids].sort()).toEqual([delayed!, ...others, delayed!].map(({ id }) => id).sort());
      expect(recording.deliveries[4]).toMatchObject({ attempt: 2, redelivered: true });
    },
  },
  {
    name: 'a delayed retry goes to the group that failed only',
    needs: ['delay'],
    run: async (scene) => {
      const transport = await scene.transport();
      const failing = scene.recording(({ attempt }) => (attempt === 1 ? retry(50) : accept));
      const other = scene.recording();
      await scene.subscribe(transport, failing, { group: 'failing' });
      await scene.subscribe(transport, other, { group: 'other' });
      await scene.publish(transport, scene.messages(1));
      await failing.received(2);
      const marker = scene.messages(1);
      await scene.publish(transport, marker);
      await other.receivedAll(marker.map(({ id }) => id));
      expect(other.deliveries).toHaveLength(2);
    },
  },
  {
    name: 'published with a delay: not before',
    needs: ['delay'],
    run: async (scene) => {
      const transport = await scene.transport();
      let arrivedMs = 0;
      const [late, soon] = scene.messages(2);
      const recording = scene.recording(({ message }) => {
        if (message.id === late!.id) arrivedMs = systemClock.monotonic();
        return accept;
      });
      await scene.subscribe(transport, recording);
      const sentMs = systemClock.monotonic();
      await scene.publish(transport, [late!], { delayMs: DELAY_MS });
      await scene.publish(transport, [soon!]);
      await recording.received(2);
      expect(arrivedMs - sentMs).toBeGreaterThanOrEqual(DELAY_MS - EARLY_MS);
      expect(recording.ids).toEqual([soon!.id, late!.id]);
      expect(recording.deliveries[1]).toMatchObject({ attempt: 1, redelivered: false });
    },
  },
];
