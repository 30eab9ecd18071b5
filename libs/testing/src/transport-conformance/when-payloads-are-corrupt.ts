import { has, type NativeDeadLetters } from '@tidings/core';
import { testMessage } from '../test-message';
import type { Behaviour } from './behaviour';
import { conformanceHandler } from './conformance.handler';

export const whenPayloadsAreCorrupt: readonly Behaviour[] = [
  {
    name: 'corrupt payload: carried as it is, rejected unhandled, the others go on',
    needs: [],
    run: async (scene) => {
      const transport = await scene.transport();
      const topic = scene.topic();
      const changed = testMessage({ topic, payload: { gift: 'rose' }, crc32c: 1 });
      const unreadable = testMessage({ topic, payload: Buffer.from([0x7b, 0xff, 0xfe, 0x00]) }); // its checksum is true
      const good = scene.messages(3);
      const handled: unknown[] = [];
      const recording = scene.recording(
        conformanceHandler(scene, (payload) => {
          handled.push(payload);
          return Promise.resolve();
        }),
      );
      await scene.subscribe(transport, recording, { concurrency: 1 });
      await scene.publish(transport, [changed, unreadable, ...good]);
      await recording.receivedAll(good.map(({ id }) => id));
      await scene.untilTrue('the good ones are handled', () => handled.length >= good.length);
      await scene.lull();
      expect(handled).toEqual(expect.arrayContaining([{ number: 1 }, { number: 2 }, { number: 3 }]));
      expect(recording.deliveries).toHaveLength(5); // no retry mends them
      if (!has(scene.harness.capabilities.deadLetters)) return;
      const dead = transport as typeof transport & NativeDeadLetters;
      const letters = () => dead.nativeDeadLetters(topic, 'ranking', 10);
      await scene.untilTrue('two dead letters', async () => (await letters()).length >= 2);
      for (const sent of [changed, unreadable]) {
        const letter = (await letters()).find(({ message }) => message.id === sent.id);
        expect(letter?.message.crc32c).toBe(sent.crc32c); // kept for whoever looks into it
        expect(Buffer.from(letter!.message.payload)).toEqual(Buffer.from(sent.payload));
      }
    },
  },
];
