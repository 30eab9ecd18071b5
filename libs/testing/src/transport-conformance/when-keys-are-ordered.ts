import { accept, type Message, retry } from '@tidings/core';
import type { Behaviour } from './behaviour';
import type { Scene } from './scene';

const KEYS = ['room-1', 'room-2', 'room-3', 'room-4', 'room-5'];

/** `each` messages of every key, the keys interleaved. */
const interleaved = (scene: Scene, each: number): Message[] =>
  Array.from({ length: each }, () => KEYS.flatMap((key) => scene.messages(1, { key }))).flat();

const ofKey = (messages: readonly Message[], key: string): string[] =>
  messages.filter((m) => m.key === key).map(({ id }) => id);

export const whenKeysAreOrdered: readonly Behaviour[] = [
  {
    name: 'same key in order with several consumers',
    needs: ['ordered'],
    run: async (scene) => {
      const handled: Message[] = [];
      const recording = scene.recording(async ({ message }) => {
        await scene.yield(handled.length % 4); // lets whoever may run beside this one run, and overtake it
        handled.push(message);
        return accept;
      });
      const transports = [await scene.transport(), await scene.transport(), await scene.transport()];
      for (const transport of transports) await scene.subscribe(transport, recording, { ordered: true });
      const messages = interleaved(scene, 30);
      const half = messages.length / 2;
      await scene.publish(transports[0]!, messages.slice(0, half));
      await scene.publish(transports[1]!, messages.slice(half));
      await recording.received(messages.length);
      await scene.untilTrue('all handled', () => handled.length === messages.length);
      for (const key of KEYS) expect(ofKey(handled, key)).toEqual(ofKey(messages, key));
      expect(recording.overlappingKeys).toEqual([]);
    },
  },
  {
    name: 'order is kept across a retry, and other keys go on',
    needs: ['ordered'],
    run: async (scene) => {
      const transport = await scene.transport();
      const [stuck, free] = [scene.messages(4, { key: 'stuck' }), scene.messages(4, { key: 'free' })];
      const accepted: string[] = [];
      const recording = scene.recording(({ message, attempt }) => {
        const freeDone = free.every(({ id }) => accepted.includes(id));
        if (message.id === stuck[0]?.id && !(freeDone && attempt > 1)) return retry(20);
        accepted.push(message.id);
        return accept;
      });
      await scene.subscribe(transport, recording, { ordered: true });
      await scene.publish(
        transport,
        stuck.flatMap((message, index) => [message, free[index]!]),
      );
      await scene.untilTrue('all accepted', () => accepted.length === 8);
      expect(accepted).toEqual([...free, ...stuck].map(({ id }) => id));
      const heads = recording.deliveries
        .filter(({ message }) => message.id === stuck[0]?.id)
        .map(({ attempt }) => attempt);
      expect(heads.length).toBeGreaterThan(1);
      expect(heads).toEqual(heads.map((_, index) => index + 1));
    },
  },
];
