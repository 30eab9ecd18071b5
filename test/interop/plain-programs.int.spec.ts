import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { crc32c, type Transport } from '@tidings/core';
import { describeOn, recordingReceive, testMessage } from '@tidings/testing';
import { InteropPlace } from './interop-place.fixture';

const PATIENCE_MS = 40_000;

describe.each([
  ['kafka', 'plain-kafkajs.cjs'],
  ['rabbitmq', 'plain-amqplib.cjs'],
  ['redis', 'plain-redis.cjs'],
] as const)('A program without Tidings on %s', (broker, file) => {
  describeOn(broker, file, (url) => {
    const place = new InteropPlace(broker, url);
    let transport: Transport;
    let program: ChildProcess | undefined;

    beforeAll(async () => {
      transport = place.open();
      await transport.connect();
    });
    afterAll(async () => {
      program?.kill('SIGKILL');
      await transport.close();
      await place.remove({ 'gift.sent': ['ours'], 'gift.thanked': ['ours'] });
    }, PATIENCE_MS);

    it('reads our message by docs/wire-format.md, and we read its answer', async () => {
      const ours = { group: 'ours', ordered: true, broadcast: false, concurrency: 1, from: 'now' } as const;
      await transport.subscribe({ ...ours, topic: 'gift.sent' }, recordingReceive().receive);
      const recording = recordingReceive();
      await transport.subscribe({ ...ours, topic: 'gift.thanked' }, recording.receive);
      program = fork(join(__dirname, file), [url, place.prefix, 'gift.sent', 'gift.thanked']);
      const ended = once(program, 'exit');
      expect(await once(program, 'message')).toContain('ready');
      const headers = { tenant: 'blåbær', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
      const sent = testMessage({ topic: 'gift.sent', key: 'room-7', version: 2, payload: { coins: 5 }, headers });
      expect(await transport.publish([{ message: sent }])).toEqual([{ outcome: 'confirmed' }]);
      await recording.received(1, PATIENCE_MS);
      const { message, attempt } = recording.deliveries[0]!;
      const answer = { id: 'plain-1', source: 'plain-program', type: 'gift.thanked', version: 1, key: 'room-7', contentType: 'application/json' }; // prettier-ignore
      expect(message).toMatchObject({ ...answer, headers: { correlationid: sent.id } });
      expect(attempt).toBe(1);
      expect(JSON.parse(Buffer.from(message.payload).toString())).toEqual({
        attributes: {
          specversion: '1.0',
          id: sent.id,
          source: sent.source,
          type: 'gift.sent',
          time: sent.time,
          datacontenttype: 'application/json',
          tidings: '1',
          typeversion: '2',
          partitionkey: 'room-7',
          bucket: sent.bucket,
          crc32c: crc32c(sent.payload).toString(16).padStart(8, '0'),
        },
        headers,
        gift: { coins: 5 },
      });
      expect((await ended)[0]).toBe(0);
    }, 90_000);
  });
});
