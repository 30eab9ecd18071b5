import type { Behaviour } from './behaviour';
import { testMessage } from '../test-message';

export const whenBytesAreChanged: readonly Behaviour[] = [
  {
    name: 'what a receiver does to its bytes stays with it',
    needs: [],
    run: async (scene) => {
      const transport = await scene.transport();
      const [vandal, reader] = [scene.recording(), scene.recording()];
      await scene.subscribe(transport, vandal, { group: 'vandal' });
      await scene.subscribe(transport, reader, { group: 'reader' });
      const payload = Buffer.from('rose');
      await scene.publish(transport, [testMessage({ topic: scene.topic(), payload })]);
      payload.fill(0); // the sender's buffer is its own again once the publish has resolved
      await vandal.received(1);
      vandal.deliveries[0]!.message.payload.fill(1);
      await reader.received(1);
      expect(Buffer.from(reader.deliveries[0]!.message.payload).toString()).toBe('rose');
    },
  },
];
