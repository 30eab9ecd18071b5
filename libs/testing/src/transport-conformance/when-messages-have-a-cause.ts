import { accept, has, HEADERS, type NativeDeadLetters, reject, retry } from '@tidings/core';
import type { Behaviour } from './behaviour';

const STORY = {
  [HEADERS.traceparent]: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  [HEADERS.tracestate]: 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE',
  [HEADERS.correlationId]: 'order-礼-1',
  [HEADERS.causationId]: '01890a5d-ac96-774b-bcce-b302099a8057',
  [HEADERS.tenant]: 'a',
};

export const whenMessagesHaveACause: readonly Behaviour[] = [
  {
    name: 'causation, correlation, trace and tenant are kept, through retries and into the dead letter',
    needs: [],
    run: async (scene) => {
      const transport = await scene.transport();
      const afterMs = has(scene.harness.capabilities.delay) ? 50 : 0;
      const answers = [retry(0), retry(afterMs), reject('no')];
      const recording = scene.recording(() => answers[recording.deliveries.length - 1] ?? accept);
      await scene.subscribe(transport, recording);
      await scene.publish(transport, scene.messages(1, { headers: STORY }));
      await recording.received(3);
      expect(recording.deliveries.map(({ message }) => message.headers)).toEqual([STORY, STORY, STORY]);
      if (!has(scene.harness.capabilities.deadLetters)) return;
      const dead = transport as typeof transport & NativeDeadLetters;
      const letters = () => dead.nativeDeadLetters(scene.topic(), 'ranking', 10);
      await scene.untilTrue('a dead letter', async () => (await letters()).length > 0);
      expect((await letters())[0]?.message.headers).toEqual(STORY);
    },
  },
  {
    name: 'priority and time to live are carried, whether the broker heeds them or not',
    needs: [],
    run: async (scene) => {
      const transport = await scene.transport();
      const recording = scene.recording(({ attempt }) => (attempt === 1 ? retry(0) : accept));
      await scene.subscribe(transport, recording);
      const headers = { [HEADERS.priority]: '7', [HEADERS.ttlMs]: '600000' };
      await scene.publish(transport, scene.messages(1, { headers }));
      await recording.received(2);
      expect(recording.deliveries.map(({ message }) => message.headers)).toEqual([headers, headers]);
    },
  },
];
