import { accept, type NativeDeadLetters, reject, type Transport } from '@tidings/core';
import type { Behaviour } from './behaviour';

const deadLettersOf = (transport: Transport): NativeDeadLetters => {
  expect(transport).toHaveProperty('nativeDeadLetters', expect.any(Function)); // the capability promises the power
  return transport as Transport & NativeDeadLetters;
};

export const whenRejected: readonly Behaviour[] = [
  {
    name: 'rejected: dead letter',
    needs: ['deadLetters'],
    run: async (scene) => {
      const transport = await scene.transport();
      const [bad, good] = [scene.messages(1, { headers: { note: '礼物' } }), scene.messages(1)];
      const recording = scene.recording(({ message }) =>
        message.id === bad[0]?.id ? reject('it can never succeed') : accept,
      );
      await scene.subscribe(transport, recording);
      await scene.publish(transport, [...bad, ...good]);
      await recording.received(2);
      const letters = () => deadLettersOf(transport).nativeDeadLetters(scene.topic(), 'ranking', 10);
      await scene.untilTrue('a dead letter', async () => (await letters()).length > 0);
      const found = await letters();
      expect(found).toHaveLength(1);
      expect(found[0]).toMatchObject({ reason: 'it can never succeed', attempts: 1 });
      expect(found[0]?.message).toMatchObject({ id: bad[0]!.id, headers: { note: '礼物' }, topic: scene.topic() });
      expect(Buffer.from(found[0]!.message.payload)).toEqual(Buffer.from(bad[0]!.payload));
      expect(await letters()).toHaveLength(1); // reading leaves it where it is
    },
  },
  {
    name: 'rejected: never delivered again, the others go on',
    needs: [],
    run: async (scene) => {
      const [transport, second] = [await scene.transport(), await scene.transport()];
      const messages = scene.messages(3);
      const recording = scene.recording(({ message }) => (message.id === messages[0]!.id ? reject('no') : accept));
      const active = await scene.subscribe(transport, recording, { concurrency: 1 });
      await scene.publish(transport, messages);
      await recording.received(3);
      await active.stop(5_000);
      const next = scene.recording();
      await scene.subscribe(second, next);
      const marker = scene.messages(1);
      await scene.publish(second, marker);
      await next.received(1);
      expect([...recording.ids].sort()).toEqual(messages.map(({ id }) => id).sort());
      expect(next.ids).toEqual(marker.map(({ id }) => id));
    },
  },
];
