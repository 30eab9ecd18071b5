import fc from 'fast-check';
import { jsonCodec } from './codec';

describe('the JSON codec', () => {
  it('decodes what it encoded, for whatever JSON can hold', () => {
    const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown);
    fc.assert(fc.property(json, (value) => expect(jsonCodec.decode(jsonCodec.encode(value))).toEqual(value)));
  });

  it('writes UTF-8', () => {
    expect(Buffer.from(jsonCodec.encode('🎁 ü')).toString('hex')).toBe('22f09f8e8120c3bc22');
  });

  it('decodes a view into a larger buffer', () => {
    const large = Buffer.from('xx{"a":1}yy');
    expect(jsonCodec.decode(new Uint8Array(large.buffer, large.byteOffset + 2, 7))).toEqual({ a: 1 });
  });

  it('refuses bytes that are no UTF-8, which would become other text than was sent', () => {
    expect(() => jsonCodec.decode(Buffer.from([0x22, 0xff, 0x22]))).toThrow('not valid for encoding utf-8');
  });

  it('reads past a byte order mark', () => {
    expect(jsonCodec.decode(Buffer.from('\ufeff{"a":1}'))).toEqual({ a: 1 });
  });

  it.each([undefined, () => 1, Symbol('a')])('refuses what has no form in JSON', (value) => {
    expect(() => jsonCodec.encode(value)).toThrow('has no form in JSON');
  });
});
