import { Writable } from 'node:stream';
import { gatherWrites } from './gathered-writes';

describe('gathered writes', () => {
  it('of one turn leave in one piece, those of the next in another, in order', async () => {
    const pieces: string[][] = [];
    const stream = new Writable({
      decodeStrings: false,
      writev: (chunks, done) => {
        pieces.push(chunks.map(({ chunk }) => String(chunk)));
        done();
      },
    });
    gatherWrites(stream);
    const written = ['a', 'b', 'c'].map((text) => stream.write(text));
    expect(pieces).toEqual([]);
    await new Promise(setImmediate);
    stream.write('d');
    await new Promise(setImmediate);
    expect(pieces).toEqual([['a', 'b', 'c'], ['d']]);
    expect(written).toEqual([true, true, true]);
  });

  it('still tell that the buffer is full', () => {
    const stream = new Writable({ highWaterMark: 3, write: () => undefined });
    gatherWrites(stream);
    expect([stream.write('ab'), stream.write('cd')]).toEqual([true, false]);
  });
});
