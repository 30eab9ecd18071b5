import { testMessage } from '../test-message';
import type { Behaviour } from './behaviour';

export const whenNobodyListens: readonly Behaviour[] = [
  {
    name: 'unroutable is reported',
    needs: ['unroutable'],
    run: async (scene) => {
      const transport = await scene.transport();
      const [result] = await transport.publish([{ message: testMessage({ topic: scene.topic('unheard') }) }]);
      expect(result).toMatchObject({ outcome: 'failed', reason: 'unroutable', error: expect.any(Error) });
      const optional = await transport.publish([
        { message: testMessage({ topic: scene.topic('unheard') }), route: 'optional' },
      ]);
      expect(optional).toEqual([{ outcome: 'confirmed' }]);
    },
  },
  {
    name: 'one result a message, in the order given',
    needs: ['unroutable'],
    run: async (scene) => {
      const transport = await scene.transport();
      const recording = scene.recording();
      await scene.subscribe(transport, recording);
      const unheard = { message: testMessage({ topic: scene.topic('unheard') }) };
      const heard = scene.messages(3).map((message) => ({ message }));
      const results = await transport.publish([unheard, heard[0]!, unheard, heard[1]!, heard[2]!]);
      expect(results.map(({ outcome }) => outcome)).toEqual([
        'failed',
        'confirmed',
        'failed',
        'confirmed',
        'confirmed',
      ]);
      await recording.received(3);
      expect(await transport.publish([])).toEqual([]);
    },
  },
];
