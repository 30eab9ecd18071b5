import { deathsOf, failuresOfDeaths, reasonOfDeaths } from './broker-deaths';

const entry = (reason: string, queue: string, count: number) => ({
  reason,
  queue,
  count,
  time: { '!': 'timestamp', value: 1_795_256_430 },
  exchange: '',
  'routing-keys': ['7'],
});

describe('what a broker tells of a dead letter', () => {
  it('becomes its story, oldest first, and the newest its reason; delays are left out', () => {
    const deaths = deathsOf([
      entry('delivery_limit', 'a', 6),
      entry('expired', 'p.t/g/delay/2000', 3),
      entry('maxlen', 'b', 1),
    ]);
    expect(reasonOfDeaths(deaths)).toBe('rabbitmq: delivery_limit in a');
    expect(failuresOfDeaths(deaths)).toEqual([
      {
        attempt: 1,
        at: '2026-11-21T10:20:30.000Z',
        instance: 'rabbitmq queue b',
        errors: [{ name: 'rabbitmq.maxlen', message: 'maxlen in b, 1 time(s)' }],
      },
      {
        attempt: 6,
        at: '2026-11-21T10:20:30.000Z',
        instance: 'rabbitmq queue a',
        errors: [{ name: 'rabbitmq.delivery_limit', message: 'delivery_limit in a, 6 time(s)' }],
      },
    ]);
  });

  it.each([undefined, 'text', 7, [null, 'text'], []])('is nothing where a foreign sender put %j', (header) => {
    expect(deathsOf(header)).toEqual([]);
    expect(reasonOfDeaths([])).toBe('');
  });

  it('lacks its time where the broker tells none', () => {
    expect(deathsOf([{ reason: 'rejected', queue: 'q' }])).toEqual([
      { reason: 'rejected', queue: 'q', count: 1, at: '' },
    ]);
  });
});
