import { accept } from '@tidings/core';
import type { Behaviour } from './behaviour';

export const whenClosedTwice: readonly Behaviour[] = [
  {
    name: 'closed twice: concurrently, before connect, after',
    needs: [],
    run: async (scene) => {
      const never = await scene.unconnected();
      await Promise.all([never.close(), never.close()]);
      const transport = await scene.unconnected();
      await Promise.all([transport.connect(), transport.connect()]);
      const recording = scene.recording();
      const active = await scene.subscribe(transport, recording);
      await scene.publish(transport, scene.messages(1));
      await recording.received(1);
      await Promise.all([transport.close(), active.stop(1_000), transport.close()]);
      await Promise.all([transport.close(), active.stop(1_000)]);
      expect(transport.health().up).toBe(false);
      expect(active.healthy()).toBe(false);
    },
  },
  {
    name: 'a closed transport refuses to publish and to subscribe',
    needs: [],
    run: async (scene) => {
      const transport = await scene.transport();
      await transport.close();
      const publishing = transport.publish(scene.messages(1).map((message) => ({ message })));
      await expect(publishing).rejects.toThrow(Error);
      await expect(scene.subscribe(transport, scene.recording())).rejects.toThrow(Error);
    },
  },
  {
    name: 'closed in mid-message: the handler ends and is settled',
    needs: [],
    run: async (scene) => {
      const [leaving, staying] = [await scene.transport(), await scene.transport()];
      const gate = scene.gate();
      const first = scene.recording(() => gate.opened.then(() => accept));
      await scene.subscribe(leaving, first);
      const messages = scene.messages(1);
      await scene.publish(staying, messages);
      await first.received(1);
      const closing = leaving.close();
      gate.open();
      await closing;
      const second = scene.recording();
      await scene.subscribe(staying, second);
      const marker = scene.messages(1);
      await scene.publish(staying, marker);
      await second.received(1);
      expect(second.ids).toEqual(marker.map(({ id }) => id));
    },
  },
];
