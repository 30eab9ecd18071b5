import { accept, has, reject, retry } from '@tidings/core';
import type { Behaviour } from './behaviour';
import { conformanceHandler } from './conformance.handler';

export const whenTheHandlerThrows: readonly Behaviour[] = [
  {
    name: 'handler throws: retried, attempt counted',
    needs: [],
    run: async (scene) => {
      const transport = await scene.transport();
      const recording = scene.recording(({ attempt }) => (attempt < 3 ? retry(0) : accept));
      await scene.subscribe(transport, recording);
      await scene.publish(transport, scene.messages(1));
      await recording.received(3);
      expect(recording.deliveries.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
      expect(recording.deliveries.map(({ redelivered }) => redelivered)).toEqual([false, true, true]);
    },
  },
  {
    name: 'several attempts in one delivery: all of them counted',
    needs: [],
    run: async (scene) => {
      const transport = await scene.transport();
      for (const ordered of [false, true]) {
        if (ordered && !has(scene.harness.capabilities.ordered)) continue;
        const recording = scene.recording(({ attempt }) => (attempt < 5 ? { ...retry(0), attempts: 3 } : accept));
        const topic = scene.topic(`several.${ordered}`);
        await scene.subscribe(transport, recording, { ordered, topic });
        await scene.publish(transport, scene.messages(1, { topic }));
        await recording.received(3);
        expect(recording.deliveries.map(({ attempt }) => attempt)).toEqual([1, 4, 7]);
      }
    },
  },
  {
    name: 'handler throws inside the chain: retried by its policy, then rejected',
    needs: [],
    run: async (scene) => {
      const transport = await scene.transport();
      const attempts: number[] = [];
      const throwing = conformanceHandler(scene, (_, { attempt }) => {
        attempts.push(attempt);
        throw new Error('the handler threw');
      });
      const recording = scene.recording(throwing);
      await scene.subscribe(transport, recording);
      await scene.publish(transport, scene.messages(1));
      await recording.received(3);
      const marker = scene.messages(1); // published after the third attempt: a fourth would show beside it
      await scene.publish(transport, marker);
      await recording.receivedAll(marker.map(({ id }) => id));
      await scene.untilTrue('the last attempt has ended', () => recording.running === 0);
      expect(attempts.slice(0, 4)).toEqual([1, 2, 3, 1]);
    },
  },
  {
    name: 'one failure after the other: the subscription goes on',
    needs: [],
    run: async (scene) => {
      const transport = await scene.transport();
      const [failing, last] = [scene.messages(12), scene.messages(3)];
      const recording = scene.recording(({ message, attempt }) => {
        const place = failing.findIndex(({ id }) => id === message.id);
        if (place < 0) return accept;
        if (place % 3 === 0) return reject('no');
        return attempt === 1 ? retry(0, { error: new Error('the handler threw') }) : accept;
      });
      const active = await scene.subscribe(transport, recording, { concurrency: 1 });
      await scene.publish(transport, failing);
      await recording.received(20); // four once, eight twice
      await scene.publish(transport, last);
      await recording.receivedAll(last.map(({ id }) => id));
      expect(active.healthy()).toBe(true);
      expect(recording.deliveries).toHaveLength(23);
    },
  },
];
