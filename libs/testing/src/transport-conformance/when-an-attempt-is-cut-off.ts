import { accept } from '@tidings/core';
import type { Behaviour } from './behaviour';

export const whenAnAttemptIsCutOff: readonly Behaviour[] = [
  {
    name: 'connection cut: the attempt that it ended is counted',
    needs: ['attempts'],
    harness: 'cut',
    timeoutMs: 60_000,
    run: async (scene) => {
      const transport = await scene.transport();
      const gate = scene.gate();
      const recording = scene.recording(() => gate.opened.then(() => accept));
      await scene.subscribe(transport, recording);
      await scene.publish(transport, scene.messages(1));
      await recording.received(1);
      await scene.harness.cut!();
      await recording.received(2);
      expect(recording.deliveries[1]).toMatchObject({ attempt: 2, redelivered: true });
    },
  },
];
