import {
  accept,
  defineMessage,
  dispatcher,
  fixed,
  has,
  type HandlerDefinition,
  retry,
  retryMiddleware,
  silentLogger,
  systemClock,
} from '@tidings/core';
import type { Behaviour } from './behaviour';

const anything = { '~standard': { version: 1 as const, vendor: 'tidings', validate: (value: unknown) => ({ value }) } };

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
      const handler: HandlerDefinition = {
        name: 'Conformance.throws',
        contract: defineMessage('gift.sent', { schema: anything }),
        subscription: scene.subscription(),
        transport: transport.kind,
        store: 'default',
        level: 'atLeastOnce',
        retry: fixed({ attempts: 3, immediate: 0, delayMs: 0 }),
        invoke: (_, { attempt }) => {
          attempts.push(attempt);
          throw new Error('the handler threw');
        },
      };
      const recording = scene.recording(dispatcher(handler, [retryMiddleware(systemClock)], silentLogger));
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
];
