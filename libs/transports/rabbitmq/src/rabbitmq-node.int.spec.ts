import { describePrivate, recordingReceive, testMessage, until } from '@tidings/testing';
import type { RabbitMqOptions } from './rabbitmq.options';
import { RabbitMqTransport } from './rabbitmq.transport';

const group = { group: 'ranking', ordered: false, broadcast: false, concurrency: 4, from: 'now' } as const;

describePrivate('rabbitmq', 'the RabbitMQ transport, on a node that its owner turns', (node) => {
  const transports: RabbitMqTransport[] = [];
  const connected = async (options: Partial<RabbitMqOptions> = {}): Promise<RabbitMqTransport> => {
    const transport = new RabbitMqTransport({ urls: node().url, reconnectMaxMs: 200, ...options });
    transports.push(transport);
    await transport.connect();
    return transport;
  };
  afterEach(async () => {
    await Promise.all(transports.splice(0).map((transport) => transport.close()));
  });

  it('tells a blocked connection, fails its publishes for now, goes on consuming, and comes back', async () => {
    const transport = await connected({ confirmTimeoutMs: 2_000 });
    const recording = recordingReceive();
    await transport.subscribe({ ...group, topic: 'alarm' }, recording.receive);
    const publish = async () => (await transport.publish([{ message: testMessage({ topic: 'alarm' }) }]))[0];
    expect(await publish()).toEqual({ outcome: 'confirmed' });
    await node().ctl('set_vm_memory_high_watermark', '0.00001');
    try {
      // A connection is blocked by its first publish after the alarm; that one waits for its confirm until the time-out.
      const first = await publish();
      expect(first).toMatchObject({ outcome: 'failed', reason: 'transient' });
      await until('told', () => !transport.health().up, { withinMs: 20_000 });
      expect(transport.health().detail).toMatch(/publish: .* is blocked: low on memory; consume: connected to/);
      const blocked = await publish(); // at once, nothing is written into the dark
      expect(blocked).toMatchObject({ reason: 'transient', error: { code: 'TIDINGS_RABBITMQ_AWAY' } });
    } finally {
      await node().ctl('set_vm_memory_high_watermark', '0.6');
    }
    await until('unblocked', () => transport.health().up, { withinMs: 20_000 });
    expect(await publish()).toEqual({ outcome: 'confirmed' });
    await recording.received(2);
  }, 90_000);

  it('works in the virtual host it is told, apart from the others', async () => {
    await node().ctl('add_vhost', 'shop/eu');
    await node().ctl('set_permissions', '-p', 'shop/eu', 'guest', '.*', '.*', '.*');
    const [inside, outside] = [await connected({ vhost: 'shop/eu' }), await connected()];
    const recording = recordingReceive();
    await inside.subscribe({ ...group, topic: 'apart' }, recording.receive);
    const message = testMessage({ topic: 'apart' });
    expect(await outside.publish([{ message }])).toMatchObject([{ reason: 'unroutable' }]);
    expect(await inside.publish([{ message }])).toEqual([{ outcome: 'confirmed' }]);
    await recording.receivedAll([message.id]);
    await expect(connected({ vhost: 'nowhere' })).rejects.toThrow(/ConnectionClose.*check urls, user and virtual host/);
  }, 90_000);
});
