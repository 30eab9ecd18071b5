import { accept, retry, type Subscription } from '@tidings/core';
import { Gate, recordingReceive, testMessage } from '@tidings/testing';
import { memory, MemoryBroker } from './index';

const subscription: Subscription = {
  topic: 'gift.sent',
  group: 'ranking',
  ordered: false,
  broadcast: false,
  concurrency: 2,
  from: 'now',
};

describe('a cut of the memory broker', () => {
  it.each([accept, retry(0)])("makes a broken line's answer void: %j", async (late) => {
    const broker = new MemoryBroker();
    const transport = memory({ broker });
    await transport.connect();
    const gate = new Gate();
    const recording = recordingReceive(async () => {
      if (recording.deliveries.length > 1) return accept;
      await gate.opened;
      return late;
    });
    await transport.subscribe(subscription, recording.receive);
    await transport.publish([{ message: testMessage() }]);
    await recording.received(1);
    await broker.cut();
    await recording.received(2);
    gate.open();
    const marker = testMessage();
    await transport.publish([{ message: marker }]);
    await recording.receivedAll([marker.id]);
    expect(recording.deliveries.map(({ attempt }) => attempt)).toEqual([1, 2, 1]);
    await transport.close();
  });

  it('fails publishes for now, and is told by health', async () => {
    const broker = new MemoryBroker();
    const transport = memory({ broker });
    await transport.connect();
    const active = await transport.subscribe(subscription, recordingReceive().receive);
    const cut = broker.cut();
    expect(transport.health()).toEqual({ up: false, detail: 'cut off' });
    expect(active.healthy()).toBe(false);
    const [result] = await transport.publish([{ message: testMessage() }]);
    expect(result).toMatchObject({ outcome: 'failed', reason: 'transient' });
    await cut;
    expect(transport.health()).toEqual({ up: true, detail: 'connected, 1 consumers' });
    expect(active.healthy()).toBe(true);
    await transport.close();
  });
});
