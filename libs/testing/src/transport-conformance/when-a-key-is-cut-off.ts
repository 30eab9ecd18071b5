import type { Behaviour } from './behaviour';
import { accept } from '@tidings/core';

export const whenAKeyIsCutOff: readonly Behaviour[] = [
  {
    name: 'connection cut: a key keeps its order',
    needs: ['ordered'],
    harness: 'cut',
    timeoutMs: 60_000,
    run: async (scene) => {
      const [sender, receiver] = [await scene.transport(), await scene.transport()];
      const gate = scene.gate();
      const recording = scene.recording(() => gate.opened.then(() => accept));
      await scene.subscribe(receiver, recording, { ordered: true });
      const messages = scene.messages(10, { key: 'room-1' });
      await scene.publish(sender, messages);
      await recording.received(1);
      await scene.harness.cut!();
      gate.open();
      const ids = messages.map(({ id }) => id);
      await recording.receivedAll(ids);
      // Copies are allowed; the first time that each message is handled must be in order.
      expect([...new Set(recording.ids)]).toEqual(ids);
    },
  },
];
