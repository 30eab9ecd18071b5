import { accept, type Settlement } from '@tidings/core';
import type { Behaviour } from './behaviour';

export const whenStoppedInMidMessage: readonly Behaviour[] = [
  {
    name: 'stopped in mid-message: drained',
    needs: [],
    run: async (scene) => {
      const [leaving, staying] = [await scene.transport(), await scene.transport()];
      const gate = scene.gate();
      const signals: AbortSignal[] = [];
      const first = scene.recording((_, signal) => {
        signals.push(signal);
        return gate.opened.then(() => accept);
      });
      const active = await scene.subscribe(leaving, first, { concurrency: 1 });
      const messages = scene.messages(3);
      await scene.publish(staying, messages);
      await first.received(1);
      let stopped = false;
      const stopping = active.stop(10_000).then(() => (stopped = true));
      const second = scene.recording();
      await scene.subscribe(staying, second, { concurrency: 1 });
      await scene.lull();
      expect({ stopped, aborted: signals[0]!.aborted }).toEqual({ stopped: false, aborted: false });
      gate.open();
      await stopping;
      await second.received(2); // handed back, or never taken
      const marker = scene.messages(1);
      await scene.publish(staying, marker);
      await second.receivedAll(marker.map(({ id }) => id));
      expect(first.deliveries).toHaveLength(1);
      expect([...first.ids, ...second.ids].sort()).toEqual([...messages, ...marker].map(({ id }) => id).sort());
    },
  },
  {
    name: 'stopped past its drain time: signalled, released, delivered again',
    needs: [],
    run: async (scene) => {
      const [leaving, staying] = [await scene.transport(), await scene.transport()];
      const signals: AbortSignal[] = [];
      const deaf = scene.recording((_, signal) => {
        signals.push(signal);
        return new Promise<Settlement>(() => undefined);
      });
      const active = await scene.subscribe(leaving, deaf);
      const messages = scene.messages(1);
      await scene.publish(staying, messages);
      await deaf.received(1);
      await Promise.all([active.stop(20), active.stop(20)]);
      expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
      const next = scene.recording();
      await scene.subscribe(staying, next);
      await next.received(1);
      expect(next.ids).toEqual(messages.map(({ id }) => id));
      expect(next.deliveries[0]?.redelivered).toBe(true);
    },
  },
];
