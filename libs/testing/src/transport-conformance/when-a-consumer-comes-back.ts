import type { Behaviour } from './behaviour';

export const whenAConsumerComesBack: readonly Behaviour[] = [
  {
    name: 'stopped and started again: what was published meanwhile is received',
    needs: [],
    run: async (scene) => {
      const [sender, receiver] = [await scene.transport(), await scene.transport()];
      const recording = scene.recording();
      const active = await scene.subscribe(receiver, recording);
      const [before, meanwhile, after] = [scene.messages(3), scene.messages(3), scene.messages(3)];
      await scene.publish(sender, before);
      await recording.received(3);
      await active.stop(5_000);
      await scene.publish(sender, meanwhile); // confirmed: the group is away, not gone
      await scene.subscribe(receiver, recording);
      await scene.publish(sender, after);
      await recording.received(9);
      expect([...recording.ids].sort()).toEqual([...before, ...meanwhile, ...after].map(({ id }) => id).sort());
    },
  },
  {
    name: 'the last transport closed, a new one gets what was published meanwhile',
    needs: [],
    run: async (scene) => {
      const [sender, receiver] = [await scene.transport(), await scene.transport()];
      await scene.subscribe(receiver, scene.recording());
      await receiver.close();
      const meanwhile = scene.messages(3);
      await scene.publish(sender, meanwhile);
      await sender.close();
      const recording = scene.recording();
      await scene.subscribe(await scene.transport(), recording);
      await recording.received(3);
      expect([...recording.ids].sort()).toEqual(meanwhile.map(({ id }) => id).sort());
    },
  },
];
