import { accept, retry } from '@tidings/core';
import type { Behaviour } from './behaviour';
import { testMessage } from '../test-message';

export const whenBytesAreChanged: readonly Behaviour[] = [
  {
    name: 'what a receiver does to its bytes stays with it',
    needs: [],
    run: async (scene) => {
      const transport = await scene.transport();
      const [vandal, reader] = [scene.recording(), scene.recording()];
      await scene.subscribe(transport, vandal, { group: 'vandal' });
      await scene.subscribe(transport, reader, { group: 'reader' });
      const payload = Buffer.from('rose');
      await scene.publish(transport, [testMessage({ topic: scene.topic(), payload })]);
      payload.fill(0); // the sender's buffer is its own again once the publish has resolved
      await vandal.received(1);
      vandal.deliveries[0]!.message.payload.fill(1);
      await reader.received(1);
      expect(Buffer.from(reader.deliveries[0]!.message.payload).toString()).toBe('rose');
    },
  },
  {
    name: 'what a handler does to headers stays with it: a retry brings those that were published',
    needs: [],
    run: async (scene) => {
      const transport = await scene.transport();
      const seen: Record<string, string>[] = [];
      const recording = scene.recording(({ message, attempt }) => {
        seen.push({ ...message.headers });
        Reflect.set(message.headers, 'note', 'changed'); // a plain object or a frozen one: both are allowed
        Reflect.set(message.headers, 'added', '1');
        return attempt === 1 ? retry(0) : accept;
      });
      await scene.subscribe(transport, recording);
      const headers = { note: 'as published' };
      await scene.publish(transport, scene.messages(1, { headers }));
      await recording.received(2);
      expect(seen).toEqual([headers, headers]);
    },
  },
];
