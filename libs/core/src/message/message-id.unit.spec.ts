import fc from 'fast-check';
import { MessageIds } from './message-id';

const NOW = 1_800_000_000_000;
const millisOf = (id: string): number => Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);

describe('message ids', () => {
  it('are UUIDs of version 7 and variant 10, with the time in front', () => {
    const ids = new MessageIds(() => NOW);
    for (let n = 0; n < 1_000; n++) {
      const id = ids.next();
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(millisOf(id)).toBe(NOW);
    }
  });

  it('ascend within a millisecond, past the counter, and when the clock steps back', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: 200 }), (steps) => {
        let now = NOW;
        const ids = new MessageIds(() => now);
        let before = ids.next();
        for (const step of steps) {
          now += step;
          const id = ids.next();
          expect(id > before).toBe(true);
          before = id;
        }
      }),
    );
  });

  it('borrow the next millisecond when 12 bits are counted up', () => {
    const ids = new MessageIds(() => NOW);
    const made = Array.from({ length: 10_000 }, () => ids.next());
    expect(made).toEqual([...made].sort());
    expect(new Set(made).size).toBe(10_000);
    expect(millisOf(made.at(-1)!)).toBeLessThanOrEqual(NOW + 4);
  });

  it('differ between processes with the same clock', () => {
    const [one, other] = [new MessageIds(() => NOW), new MessageIds(() => NOW)];
    const made = Array.from({ length: 500 }, () => [one.next(), other.next()]).flat();
    expect(new Set(made).size).toBe(1_000);
  });
});
