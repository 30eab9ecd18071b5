import { generateGifts } from './gift-generator';
import { planRequests } from './request-plan';

const options = {
  count: 2_000,
  seed: 7,
  run: 'r',
  rooms: ['hot', 'b', 'c', 'd', 'e', 'f'],
  gifts: ['rose', 'star', 'rocket'],
};

describe('generateGifts', () => {
  it('repeats itself for one seed, and for no other', () => {
    expect(generateGifts(options)).toEqual(generateGifts(options));
    expect(generateGifts({ ...options, seed: 8 })).not.toEqual(generateGifts(options));
  });

  it('has a hot room, and leaves no room empty', () => {
    const gifts = generateGifts(options);
    const shares = options.rooms.map((room) => gifts.filter((gift) => gift.roomId === room).length / gifts.length);
    expect(shares[0]).toBeGreaterThan(0.35);
    expect(Math.min(...shares)).toBeGreaterThan(0.03);
  });

  it('gives each gift a key of its own', () => {
    expect(new Set(generateGifts(options).map((gift) => gift.idempotencyKey)).size).toBe(2_000);
  });
});

describe('planRequests', () => {
  const gifts = generateGifts(options);
  const plan = planRequests(gifts, options.seed);

  it('repeats about a tenth, half of them at once and half later', () => {
    const atOnce = plan.filter((turn) => turn.length === 2).length;
    const later = plan.length - gifts.length;
    expect(atOnce / gifts.length).toBeCloseTo(0.05, 1);
    expect(later / gifts.length).toBeCloseTo(0.05, 1);
    expect(Math.min(atOnce, later)).toBeGreaterThan(50);
  });

  it('keeps the order of the first requests, and repeats nothing before them', () => {
    const seen = new Set<string>();
    const firsts = plan.flatMap(([gift]) =>
      gift && !seen.has(gift.idempotencyKey) ? (seen.add(gift.idempotencyKey), [gift]) : [],
    );
    expect(firsts).toEqual(gifts);
  });
});
