import type { Message } from '@tidings/core';
import type { Behaviour } from './behaviour';

const TOPICS = ['gift.sent', 'gift.sent.late', 'gift', 'Gift.Sent', 'gift-sent', 'badge_upgraded', 'room.entered'];

export const whenThereAreManyTopics: readonly Behaviour[] = [
  {
    name: 'many topics are isolated',
    needs: [],
    run: async (scene) => {
      const transport = await scene.transport();
      const topics = TOPICS.map((name) => scene.topic(name));
      const recordings = topics.map(() => scene.recording());
      await Promise.all(topics.map((topic, index) => scene.subscribe(transport, recordings[index]!, { topic }))); // concurrently
      const messages: Message[] = topics.flatMap((topic) => scene.messages(3, { topic }));
      await Promise.all(messages.map((message) => scene.publish(transport, [message])));
      for (const [index, topic] of topics.entries()) {
        await recordings[index]!.received(3);
        const expected = messages.filter((message) => message.topic === topic).map(({ id }) => id);
        expect([...recordings[index]!.ids].sort()).toEqual([...expected].sort());
        expect(recordings[index]!.deliveries.every(({ message }) => message.topic === topic)).toBe(true);
      }
    },
  },
  {
    name: 'consumers of one new group subscribe concurrently',
    needs: [],
    run: async (scene) => {
      const transports = await Promise.all([scene.transport(), scene.transport(), scene.transport()]);
      const recording = scene.recording();
      await Promise.all(transports.map((transport) => scene.subscribe(transport, recording)));
      const messages = scene.messages(12);
      await Promise.all(messages.map((message, index) => scene.publish(transports[index % 3]!, [message])));
      await recording.received(12);
      expect([...recording.ids].sort()).toEqual(messages.map(({ id }) => id).sort());
    },
  },
];
