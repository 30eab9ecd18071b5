import type { Message } from '@tidings/core';
import { testMessage } from '../test-message';
import type { Behaviour } from './behaviour';

/** Transports may hand out Buffers, and times in another zone's notation; nothing else may differ. */
const comparable = ({ payload, time, ...message }: Message) => ({
  ...message,
  payload: Buffer.from(payload).toString('base64'),
  time: Date.parse(time),
});

export const whenPublished: readonly Behaviour[] = [
  {
    name: 'published is received',
    needs: [],
    run: async (scene) => {
      const [sender, receiver] = [await scene.transport(), await scene.transport()];
      expect(receiver.kind).toBe(scene.harness.kind);
      expect(receiver.capabilities).toEqual(scene.harness.capabilities);
      expect(Object.isFrozen(receiver.capabilities)).toBe(true);
      const recording = scene.recording();
      const active = await scene.subscribe(receiver, recording);
      const [plain] = scene.messages(1) as [Message];
      const full = testMessage({
        topic: scene.topic(),
        type: 'gift.sent',
        version: 3,
        key: 'room-1',
        contentType: 'application/vnd.gift+json',
        generation: 2,
        bucket: '2001-02-03',
        time: '2001-02-03T04:05:06.789Z',
        headers: {
          traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
          tenant: 'a',
          'X-Mixed-Case': '1',
          empty: '',
        },
      });
      await scene.publish(sender, [plain, full]);
      await recording.received(2);
      const byId = (id: string) => recording.deliveries.find(({ message }) => message.id === id)!;
      expect(comparable(byId(plain.id).message)).toEqual(comparable(plain));
      expect(comparable(byId(full.id).message)).toEqual(comparable(full));
      expect(byId(full.id)).toMatchObject({ attempt: 1, redelivered: false });
      expect(active.healthy()).toBe(true);
      expect(receiver.health().up).toBe(true);
      expect(recording.deliveries).toHaveLength(2);
    },
  },
  {
    name: 'a foreign message, without key, bucket and checksum, is received',
    needs: [],
    run: async (scene) => {
      const transport = await scene.transport();
      const recording = scene.recording();
      await scene.subscribe(transport, recording);
      await scene.publish(transport, scene.messages(1, { key: null, bucket: null, crc32c: null }));
      await recording.received(1);
      expect(recording.deliveries[0]?.message).toMatchObject({ key: null, bucket: null, crc32c: null, headers: {} });
    },
  },
  {
    name: "a relay's stamp is carried",
    needs: [],
    run: async (scene) => {
      const transport = await scene.transport();
      const recording = scene.recording();
      await scene.subscribe(transport, recording);
      const stamp = { sequence: 9_007_199_254_740_000, epoch: 3, epochStart: 40 };
      await scene.publish(transport, scene.messages(1), { stamp });
      await recording.received(1);
      expect(recording.deliveries[0]?.stamp).toEqual(stamp);
    },
  },
];
