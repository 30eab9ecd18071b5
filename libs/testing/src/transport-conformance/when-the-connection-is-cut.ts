import { accept } from '@tidings/core';
import type { Behaviour } from './behaviour';

export const whenTheConnectionIsCut: readonly Behaviour[] = [
  {
    name: 'connection cut: recovered, nothing lost',
    needs: [],
    harness: 'cut',
    timeoutMs: 60_000,
    run: async (scene) => {
      const [sender, receiver] = [await scene.transport(), await scene.transport()];
      const gate = scene.gate();
      const recording = scene.recording(() => gate.opened.then(() => accept));
      const active = await scene.subscribe(receiver, recording, { concurrency: 2 });
      const [before, during, after] = [scene.messages(10), scene.messages(0), scene.messages(10)];
      await scene.publish(sender, before);
      await recording.received(2); // taken and unsettled when the line breaks
      let cut = false;
      const cutting = scene.harness.cut!().finally(() => (cut = true));
      while (!cut || during.length < 10) {
        during.push(...scene.messages(1)); // so that the line breaks in the middle of a publish, whenever it breaks
        await scene.publishUntilConfirmed(sender, during.slice(-1));
        await scene.yield();
      }
      await cutting;
      gate.open();
      await scene.publishUntilConfirmed(sender, after);
      await recording.receivedAll([...before, ...during, ...after].map(({ id }) => id));
      await scene.untilTrue(
        'the consumer is healthy again',
        () => active.healthy() && receiver.health().up && sender.health().up,
      );
      await scene.harness.cut!(); // idle this time
      const last = scene.messages(1);
      await scene.publishUntilConfirmed(sender, last);
      await recording.receivedAll(last.map(({ id }) => id));
    },
  },
  {
    name: 'connection cut: what was accepted before stays accepted, what was not comes again',
    needs: [],
    harness: 'cut',
    timeoutMs: 60_000,
    run: async (scene) => {
      const [sender, receiver] = [await scene.transport(), await scene.transport()];
      const [done, held] = [scene.messages(5), scene.messages(1)];
      const gate = scene.gate();
      const recording = scene.recording(({ message }) =>
        message.id === held[0]!.id ? gate.opened.then(() => accept) : accept,
      );
      const active = await scene.subscribe(receiver, recording);
      await scene.publish(sender, done);
      await recording.receivedAll(done.map(({ id }) => id));
      await active.stop(5_000); // settled at the broker for certain
      await scene.subscribe(receiver, recording);
      await scene.publish(sender, held);
      await recording.receivedAll(held.map(({ id }) => id));
      await scene.harness.cut!();
      if (scene.harness.cutRedelivers === false) {
        gate.open();
        const marker = scene.messages(1);
        await scene.publishUntilConfirmed(sender, marker);
        await recording.receivedAll(marker.map(({ id }) => id));
        for (const { id } of done) expect(recording.ids.filter((other) => other === id)).toHaveLength(1);
        return; // of the held one a copy may come: only that it need not was said
      }
      await scene.untilTrue(
        'the unsettled one comes again',
        () => recording.ids.filter((id) => id === held[0]!.id).length >= 2,
      );
      gate.open();
      for (const { id } of done) expect(recording.ids.filter((other) => other === id)).toHaveLength(1);
      const copy = recording.deliveries.filter(({ message }) => message.id === held[0]!.id)[1];
      expect(copy?.redelivered).toBe(true);
    },
  },
];
