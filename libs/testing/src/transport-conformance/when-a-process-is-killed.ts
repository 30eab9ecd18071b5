import { has } from '@tidings/core';
import type { Behaviour } from './behaviour';

export const whenAProcessIsKilled: readonly Behaviour[] = [
  {
    name: 'process killed unsettled: redelivered',
    needs: ['processes'],
    harness: 'process',
    timeoutMs: 60_000,
    run: async (scene) => {
      const victim = await scene.holdInProcess({ concurrency: 2 });
      const transport = await scene.transport();
      const messages = scene.messages(6);
      await scene.publish(transport, messages);
      await victim.took(2);
      const heir = scene.recording();
      await scene.subscribe(transport, heir);
      await victim.kill();
      await heir.receivedAll(
        messages.map(({ id }) => id),
        25_000,
      );
      for (const id of victim.ids) {
        const again = heir.deliveries.find(({ message }) => message.id === id);
        expect(again?.redelivered).toBe(true);
        if (has(scene.harness.capabilities.attempts)) expect(again?.attempt).toBeGreaterThan(1);
      }
      expect(heir.ids).toHaveLength(messages.length);
    },
  },
  {
    name: 'process killed unsettled: a key keeps its order',
    needs: ['processes', 'ordered'],
    harness: 'process',
    timeoutMs: 60_000,
    run: async (scene) => {
      const victim = await scene.holdInProcess({ ordered: true });
      const transport = await scene.transport();
      const messages = scene.messages(8, { key: 'room-1' });
      await scene.publish(transport, messages);
      await victim.took(1);
      const heir = scene.recording();
      await scene.subscribe(transport, heir, { ordered: true });
      await victim.kill();
      const ids = messages.map(({ id }) => id);
      await heir.receivedAll(ids, 25_000);
      expect(heir.ids).toEqual(ids);
      expect(victim.ids).toEqual(ids.slice(0, 1)); // the head blocked its followers
    },
  },
];
