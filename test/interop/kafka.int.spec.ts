import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { crc32c } from '@tidings/core';
import { kafka, type KafkaTransport } from '@tidings/kafka';
import { describeOn, recordingReceive, testMessage } from '@tidings/testing';

const group = { group: 'thanks', ordered: true, broadcast: false, concurrency: 1, from: 'earliest' } as const;

describeOn('kafka', 'A program with kafkajs and without Tidings', (url) => {
  const prefix = `interop-${randomBytes(4).toString('hex')}`;
  let transport: KafkaTransport;
  let program: ChildProcess | undefined;

  beforeAll(async () => {
    transport = kafka({ urls: url, prefix });
    await transport.connect();
  });
  afterAll(async () => {
    program?.kill('SIGKILL');
    await transport.removeTopic('gift.sent', []);
    await transport.close();
    const cleaner = kafka({ urls: url, prefix });
    await cleaner.removeTopic('gift.thanked', [group.group]);
    await cleaner.close();
  }, 30_000);

  it('reads our message by docs/wire-format.md, and we read its answer', async () => {
    const headers = { tenant: 'blåbær', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
    const sent = testMessage({ topic: 'gift.sent', key: 'room-7', version: 2, payload: { coins: 5 }, headers });
    expect(await transport.publish([{ message: sent }])).toEqual([{ outcome: 'confirmed' }]);
    const recording = recordingReceive();
    await transport.subscribe({ ...group, topic: 'gift.thanked' }, recording.receive);
    const topics = [`${prefix}.gift.sent`, `${prefix}.gift.thanked`];
    program = fork(join(__dirname, 'plain-kafkajs.cjs'), [new URL(url).host, ...topics]);
    const ended = once(program, 'exit');
    await recording.received(1, 40_000);
    const { message, attempt } = recording.deliveries[0]!;
    const answer = { id: 'plain-1', source: 'plain-program', type: 'gift.thanked', version: 1, key: 'room-7', contentType: 'application/json' }; // prettier-ignore
    expect(message).toMatchObject({ ...answer, headers: { correlationid: sent.id } });
    expect(attempt).toBe(1);
    const read = JSON.parse(Buffer.from(message.payload).toString()) as Record<string, unknown>;
    expect(read).toMatchObject({ gift: { coins: 5 } });
    expect(read['headers']).toEqual({
      ce_specversion: '1.0',
      ce_id: sent.id,
      ce_source: sent.source,
      ce_type: 'gift.sent',
      ce_time: sent.time,
      ce_tidings: '1',
      ce_typeversion: '2',
      ce_partitionkey: 'room-7',
      ce_bucket: sent.bucket,
      ce_crc32c: crc32c(sent.payload).toString(16).padStart(8, '0'),
      'content-type': 'application/json',
      ...headers,
    });
    expect(await ended).toEqual([0, null]);
  }, 60_000);
});
