import { GiftFileError, parseGiftFile } from './gift-file.parser';

const gift = { roomId: 'room-a', viewerId: 'ann', gift: 'rose', quantity: 2, idempotencyKey: 'k1' };

describe('parseGiftFile', () => {
  it('reads gifts, skips empty lines, and fills in what may be left out', () => {
    const content = `${JSON.stringify(gift)}\r\n\n{"roomId":"room-b","viewerId":"bob","gift":"star"}\n`;
    expect(parseGiftFile('gifts.ndjson', content, 'run1')).toEqual([
      gift,
      { roomId: 'room-b', viewerId: 'bob', gift: 'star', quantity: 1, idempotencyKey: 'run1-line-3' },
    ]);
  });

  it('names the line and the field of every bad gift', () => {
    const content = [
      JSON.stringify(gift),
      '{"roomId":',
      JSON.stringify({ ...gift, quantity: 0 }),
      JSON.stringify({ ...gift, price: 5 }),
    ].join('\n');
    expect.assertions(3);
    try {
      parseGiftFile('gifts.ndjson', content, 'run1');
    } catch (error) {
      expect(error).toBeInstanceOf(GiftFileError);
      expect((error as GiftFileError).problems).toEqual([
        expect.stringMatching(/^2: /),
        expect.stringMatching(/^3: quantity: /),
        expect.stringMatching(/^4: .*price/),
      ]);
      expect((error as GiftFileError).message).toContain('gifts.ndjson:3: quantity');
    }
  });

  it('refuses a file without gifts', () => {
    expect(() => parseGiftFile('gifts.ndjson', '\n\n', 'run1')).toThrow('no gift at all');
  });
});
