import { differences, windowCounts, WINDOW_MS } from './window-counts';

describe('counts of windows', () => {
  it('go by the events’ own times, an event at an end into the next window', () => {
    const events = [0, 1, WINDOW_MS - 1, WINDOW_MS].map((atMs) => ({ action: 'view' as const, atMs }));
    expect(windowCounts([...events, { action: 'buy', atMs: 5 }])).toEqual([
      { beginMs: 0, action: 'buy', events: 1 },
      { beginMs: 0, action: 'view', events: 3 },
      { beginMs: WINDOW_MS, action: 'view', events: 1 },
    ]);
  });

  it('that differ are told: too few, too many, and a window that should not be there', () => {
    const sent = [{ beginMs: 0, action: 'view', events: 2 }, { beginMs: 0, action: 'buy', events: 1 }]; // prettier-ignore
    expect(differences(sent, sent)).toEqual([]);
    const counted = [{ beginMs: 0, action: 'view', events: 3 }, { beginMs: WINDOW_MS, action: 'buy', events: 1 }]; // prettier-ignore
    expect(differences(sent, counted)).toEqual([
      '1970-01-01T00:00:00.000Z view: expected 2, found 3',
      '1970-01-01T00:00:00.000Z buy: expected 1, found 0',
      '1970-01-01T00:01:00.000Z buy: expected 0, found 1',
    ]);
  });
});
