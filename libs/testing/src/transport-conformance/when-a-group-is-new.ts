import type { Behaviour } from './behaviour';

export const whenAGroupIsNew: readonly Behaviour[] = [
  {
    name: 'a new group begins with what is published from now on',
    needs: [],
    run: async (scene) => {
      const transport = await scene.transport();
      const [old, fresh] = [scene.recording(), scene.recording()];
      await scene.subscribe(transport, old, { group: 'old' });
      await scene.publish(transport, scene.messages(3));
      await old.received(3);
      await scene.subscribe(transport, fresh, { group: 'fresh' });
      const marker = scene.messages(1);
      await scene.publish(transport, marker);
      await fresh.received(1);
      expect(fresh.ids).toEqual(marker.map(({ id }) => id));
    },
  },
  {
    name: 'a new group may begin at the oldest message kept',
    needs: ['replay'],
    run: async (scene) => {
      const transport = await scene.transport();
      const [old, fresh] = [scene.recording(), scene.recording()];
      await scene.subscribe(transport, old, { group: 'old' });
      const messages = scene.messages(3);
      await scene.publish(transport, messages);
      await old.received(3);
      await scene.subscribe(transport, fresh, { group: 'fresh', from: 'earliest' });
      await fresh.received(3);
      expect([...fresh.ids].sort()).toEqual(messages.map(({ id }) => id).sort());
    },
  },
];
