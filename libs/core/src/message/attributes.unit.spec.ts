import { testMessage } from '@tidings/testing';
import fc from 'fast-check';
import { ATTRIBUTE_NAMES, attributesOf, messageOf } from './attributes';
import type { Message } from './message';

const text = fc.string({ minLength: 1, unit: 'binary' });
const count = fc.nat();
const message: fc.Arbitrary<Message> = fc.record({
  id: text,
  source: text,
  type: text,
  version: fc.integer({ min: 1, max: 1_000 }),
  topic: text,
  key: fc.option(fc.string({ unit: 'binary' })),
  time: fc.constant('2026-11-21T04:00:00.000Z'),
  contentType: fc.constantFrom('application/json', 'application/octet-stream'),
  payload: fc.uint8Array({ maxLength: 20 }),
  bucket: fc.option(fc.constant('2026-11-21')),
  generation: count,
  crc32c: fc.option(fc.integer({ min: 0, max: 0xffffffff })),
  headers: fc.dictionary(fc.string(), fc.string()),
});
const stamp = fc.record({ sequence: count, epoch: count, epochStart: count });

const read = (attributes: Record<string, string>) => messageOf(attributes, Buffer.from('{}'), 'gifts', {});
const least = { id: '1', source: 'gift-api', type: 'gift.sent' };

describe("a message's attributes", () => {
  it('say everything of it but payload, topic and headers: there and back it is the same', () => {
    fc.assert(
      fc.property(message, fc.option(stamp, { nil: undefined }), count, (original, stamped, attempts) => {
        const attributes = attributesOf({ message: original, attempts, ...(stamped && { stamp: stamped }) });
        const back = messageOf(attributes, original.payload, original.topic, original.headers);
        expect(back).toEqual({ message: original, attempts, ...(stamped && { stamp: stamped }) });
      }),
    );
  });

  it('have the names that CloudEvents allows, and those only that ATTRIBUTE_NAMES lists', () => {
    const full = attributesOf({
      message: testMessage({ key: 'k', generation: 1 }),
      attempts: 1,
      stamp: { sequence: 1, epoch: 2, epochStart: 0 },
    });
    expect(Object.keys(full).sort()).toEqual([...ATTRIBUTE_NAMES].sort());
    expect(Object.keys(full).filter((name) => !/^[a-z0-9]{1,20}$/.test(name))).toEqual([]);
  });

  it('are the golden form of docs/wire-format.md', () => {
    const golden = testMessage({
      id: '0193-id',
      source: 'gift-api',
      type: 'gift.sent',
      version: 2,
      key: 'room-1',
      time: '2026-11-21T04:00:00.000Z',
      bucket: '2026-11-21',
      payload: '{"a":1}',
    });
    expect(attributesOf({ message: golden, stamp: { sequence: 7, epoch: 3, epochStart: 5 } })).toEqual({
      specversion: '1.0',
      id: '0193-id',
      source: 'gift-api',
      type: 'gift.sent',
      time: '2026-11-21T04:00:00.000Z',
      datacontenttype: 'application/json',
      tidings: '1',
      typeversion: '2',
      partitionkey: 'room-1',
      bucket: '2026-11-21',
      crc32c: 'cff7d56a',
      sequence: '7',
      epoch: '3',
      epochstart: '5',
    });
  });
});

describe('a message off the wire', () => {
  it('of a foreign sender may leave out what Tidings adds', () => {
    expect(read(least)).toEqual({
      attempts: 0,
      message: {
        ...least,
        version: 1,
        topic: 'gifts',
        key: null,
        time: '',
        contentType: 'application/json',
        payload: Buffer.from('{}'),
        bucket: null,
        generation: 0,
        crc32c: null,
        headers: {},
      },
    });
  });

  it.each(['id', 'source', 'type'])('must have %s, and one that is not empty', (name) => {
    const problem = {
      code: 'TIDINGS_WIRE',
      message: `a message on gifts has no attribute ${name}; a CloudEvent needs id, source and type`,
    };
    expect(() => read({ ...least, [name]: '' })).toThrow(expect.objectContaining(problem));
    const without = Object.fromEntries(Object.entries(least).filter(([one]) => one !== name));
    expect(() => read(without)).toThrow(expect.objectContaining(problem));
  });

  it.each([
    ['typeversion', 'two'],
    ['typeversion', '2.5'],
    ['generation', '-1'],
    ['attempts', '12 gifts'],
    ['attempts', ''],
    ['sequence', '99999999999999999999'],
    ['crc32c', 'xyz'],
    ['epoch', '0x10'],
  ])('must have a whole number in %s: not "%s"', (name, value) => {
    const stamped = { sequence: '1', epoch: '1', epochstart: '1' };
    expect(() => read({ ...least, ...stamped, [name]: value })).toThrow(
      expect.objectContaining({
        code: 'TIDINGS_WIRE',
        message: `a message on gifts: attribute ${name} must be a whole number, found ${JSON.stringify(value)}`,
      }),
    );
  });

  it('has a stamp only when sequence and epoch are both there', () => {
    expect(read({ ...least, sequence: '4' }).stamp).toBeUndefined();
    expect(read({ ...least, sequence: '4', epoch: '2' }).stamp).toEqual({ sequence: 4, epoch: 2, epochStart: 0 });
  });
});
