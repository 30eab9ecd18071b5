import { ManualClock, testMessage } from '@tidings/testing';
import { z } from 'zod';
import { crc32c } from './checksum';
import { defineMessage } from './contract';
import { MessageFactory } from './message-factory';

const GiftSent = defineMessage('gift.sent', {
  version: 2,
  topic: 'gifts',
  schema: z.object({ roomId: z.string(), coins: z.number().default(1) }),
  key: ({ roomId }) => roomId,
});

const factory = new MessageFactory('gift-api', new ManualClock(1_800_000_000_123));

describe('the message factory', () => {
  it('fills in everything of a message', async () => {
    const made = await factory.create(GiftSent, { roomId: 'r1' });
    const payload = Buffer.from('{"roomId":"r1","coins":1}');
    expect(made).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      source: 'gift-api',
      type: 'gift.sent',
      version: 2,
      topic: 'gifts',
      key: 'r1',
      time: '2027-01-15T08:00:00.123Z',
      contentType: 'application/json',
      payload,
      bucket: '2027-01-15',
      generation: 0,
      crc32c: crc32c(payload),
      headers: {},
    });
  });

  it('leaves ttlMs and priority where a transport finds them', async () => {
    const Ping = defineMessage('ping', { schema: z.object({}) });
    expect((await factory.create(Ping, {}, { ttlMs: 1_500, priority: 0 })).headers).toEqual({
      'tidings-ttl-ms': '1500',
      'tidings-priority': '0',
    });
    for (const [path, options] of [
      ['publish.ttlMs', { ttlMs: 0 }],
      ['publish.ttlMs', { ttlMs: 2 ** 32 }],
      ['publish.priority', { priority: 1.5 }],
      ['publish.priority', { priority: 256 }],
    ] as const) {
      await expect(factory.create(Ping, {}, options)).rejects.toThrow(path);
    }
  });

  it.each([{ ttlMs: 5 }, { priority: 1 }])('refuses %j beside a key, whose order it would break', async (options) => {
    await expect(factory.create(GiftSent, { roomId: 'r1' }, options)).rejects.toThrow(
      /^publish\.\w+: must not be given for a message with a key, found key "r1"/,
    );
  });

  it("takes the caller's id and headers", async () => {
    const made = await factory.create(GiftSent, { roomId: 'r1' }, { id: 'mine', headers: { shop: 'ü' } });
    expect([made.id, made.headers]).toEqual(['mine', { shop: 'ü' }]);
  });

  it('continues the conversation, the trace and the tenant of its cause, and nothing else of its headers', async () => {
    const trace = { traceparent: '00-1-2-01', tracestate: 'a=b', tenant: 'acme' };
    const cause = testMessage({ id: 'cause', headers: { ...trace, shop: 'x' } });
    const first = await factory.create(GiftSent, { roomId: 'r1' }, { cause });
    expect(first.headers).toEqual({ ...trace, correlationid: 'cause', causationid: 'cause' });
    const second = await factory.create(GiftSent, { roomId: 'r1' }, { cause: first, headers: { tenant: 'other' } });
    expect(second.headers).toEqual({ ...trace, tenant: 'other', correlationid: 'cause', causationid: first.id });
  });

  it('refuses a payload that does not fit', async () => {
    await expect(factory.create(GiftSent, { roomId: 7 as never })).rejects.toThrow('message gift.sent v2: roomId: ');
  });
});
