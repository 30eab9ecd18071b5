import { z } from 'zod';
import { ContractError, NewerVersionError } from '../errors';
import type { Codec } from './codec';
import { defineMessage } from './contract';

const GiftSent = defineMessage('gift.sent', {
  version: 3,
  schema: z.object({
    roomId: z.string(),
    coins: z.number().int(),
    tags: z.array(z.object({ name: z.string() })).default([]),
  }),
  key: ({ roomId }) => roomId,
  upcast: {
    1: (old: { room: string; price: number }) => ({ roomId: old.room, price: old.price }),
    2: ({ price, ...rest }: { roomId: string; price: number }) => ({ ...rest, coins: price * 10 }),
  },
});

const gift = { roomId: 'r1', coins: 5, tags: [] };
/** An upcast that changes nothing. */
const step = (older: unknown): unknown => older;

const message = (version: number, payload: unknown) => ({
  type: 'gift.sent',
  version,
  payload: Buffer.from(JSON.stringify(payload)),
});

describe('a message contract', () => {
  it('validates and encodes, with the defaults filled in', async () => {
    const { payload, bytes } = await GiftSent.encode({ roomId: 'r1', coins: 5 });
    expect(payload).toEqual(gift);
    expect(JSON.parse(Buffer.from(bytes).toString())).toEqual(gift);
    expect(GiftSent.keyOf(payload)).toBe('r1');
  });

  it('decodes what it encoded', async () => {
    const { bytes } = await GiftSent.encode(gift);
    await expect(GiftSent.decode({ type: 'gift.sent', version: 3, payload: bytes })).resolves.toEqual(gift);
  });

  it.each([
    [{ roomId: 'r1', coins: 'five' }, 'coins'],
    [{ roomId: 'r1', coins: 5, tags: [{ name: 'a' }, { name: 7 }] }, 'tags.1.name'],
    ['not an object', 'payload'],
  ])('names the field that is wrong in %j', async (input, field) => {
    const problem = {
      code: 'TIDINGS_CONTRACT',
      type: 'gift.sent',
      version: 3,
      problem: expect.stringMatching(`^${field}: `),
    };
    await expect(GiftSent.encode(input as never)).rejects.toMatchObject(problem);
    await expect(GiftSent.decode(message(3, input))).rejects.toMatchObject(problem);
  });

  it('raises a payload of version 1 and of version 2 step by step', async () => {
    await expect(GiftSent.decode(message(1, { room: 'r1', price: 4 }))).resolves.toEqual({ ...gift, coins: 40 });
    await expect(GiftSent.decode(message(2, { roomId: 'r1', price: 4 }))).resolves.toEqual({ ...gift, coins: 40 });
  });

  it('does not guess at a newer version', async () => {
    const decoded = GiftSent.decode(message(4, gift));
    await expect(decoded).rejects.toBeInstanceOf(NewerVersionError);
    await expect(decoded).rejects.toMatchObject({ version: 4, known: 3, message: expect.stringContaining('deploy') });
  });

  it('names a version that has no step any more, and keeps what an upcast threw as the cause', async () => {
    const contract = defineMessage('gift.sent', {
      version: 3,
      schema: z.unknown(),
      upcast: {
        2: () => {
          throw new RangeError('too old');
        },
      },
    });
    await expect(contract.decode(message(1, {}))).rejects.toThrow(
      'message gift.sent v1: cannot be decoded: Error: version 1 is no longer read',
    );
    await expect(contract.decode(message(2, {}))).rejects.toMatchObject({ version: 2, cause: { message: 'too old' } });
  });

  it('says which message bytes that are no JSON belong to', async () => {
    const decoded = GiftSent.decode({ type: 'gift.sent', version: 3, payload: Buffer.from('{') });
    await expect(decoded).rejects.toBeInstanceOf(ContractError);
    await expect(decoded).rejects.toThrow(/^message gift\.sent v3: cannot be decoded: SyntaxError/);
  });

  it('says which message a payload without a form on the wire belongs to', async () => {
    const contract = defineMessage('count', { schema: z.object({ n: z.bigint() }) });
    await expect(contract.encode({ n: 1n })).rejects.toThrow(/^message count v1: cannot be encoded: TypeError/);
    const nothing = defineMessage('nothing', { schema: z.undefined() });
    await expect(nothing.encode(undefined)).rejects.toThrow(
      'message nothing v1: cannot be encoded: TypeError: undefined has no form in JSON',
    );
  });

  it('takes any codec, topic and asynchronous schema', async () => {
    const reversed: Codec = {
      contentType: 'text/reversed',
      encode: (payload) => Buffer.from([...String(payload)].reverse().join('')),
      decode: (bytes) => [...Buffer.from(bytes).toString()].reverse().join(''),
    };
    const schema = z.string().refine(async (text) => text !== 'bad', 'is bad');
    const contract = defineMessage('word', { schema, topic: 'words', codec: reversed });
    const { bytes } = await contract.encode('abc');
    expect([contract.topic, contract.contentType, Buffer.from(bytes).toString(), contract.keyOf('abc')]).toEqual([
      'words',
      'text/reversed',
      'cba',
      null,
    ]);
    await expect(contract.decode({ type: 'word', version: 1, payload: bytes })).resolves.toBe('abc');
    await expect(contract.encode('bad')).rejects.toThrow('payload: is bad');
  });

  it('is frozen, has version 1 and its type as topic unless told otherwise', () => {
    const contract = defineMessage('a', { schema: z.string() });
    expect(contract).toMatchObject({ type: 'a', version: 1, topic: 'a', contentType: 'application/json' });
    expect(Object.isFrozen(contract)).toBe(true);
  });

  it.each([
    [
      'a gap',
      { version: 4, upcast: { 1: step, 3: step } },
      'upcast has no step 2; every version from 1 to 3 needs one',
    ],
    ['a missing last step', { version: 3, upcast: { 1: step } }, 'upcast has no step 2'],
    ['a step of its own version', { version: 2, upcast: { 1: step, 2: step } }, 'upcast has a step outside 1 to 1'],
    ['a step 0', { version: 2, upcast: { 0: step, 1: step } }, 'upcast has a step outside 1 to 1'],
    ['version 0', { version: 0 }, 'version must be a whole number from 1, found 0'],
    ['version 1.5', { version: 1.5 }, 'version must be a whole number from 1, found 1.5'],
  ])('refuses %s where it is defined', (_, options, problem) => {
    expect(() => defineMessage('gift.sent', { schema: z.string(), ...options })).toThrow(
      `contract gift.sent: ${problem}`,
    );
  });

  it('refuses an empty type', () => {
    expect(() => defineMessage('', { schema: z.string() })).toThrow('type must not be empty');
  });
});
