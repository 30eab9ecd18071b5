import { dateOf, systemClock, timestampOf } from './clock';

describe('the system clock', () => {
  it('wakes a wait by its signal at once, also one that aborted before', async () => {
    const abort = new AbortController();
    const waits = [systemClock.wait(60_000, abort.signal), systemClock.wait(Infinity, abort.signal)];
    abort.abort();
    await Promise.all([...waits, systemClock.wait(60_000, abort.signal), systemClock.wait(Infinity, abort.signal)]);
  });

  it('waits at least as long as asked', async () => {
    const before = systemClock.monotonic();
    await systemClock.wait(20);
    expect(systemClock.monotonic() - before).toBeGreaterThanOrEqual(19);
  });

  it.each([2 ** 31, 2 ** 40, Infinity])('does not take %d ms, longer than a timer can be, for none', async (ms) => {
    const abort = new AbortController();
    let woken = false;
    const wait = systemClock.wait(ms, abort.signal).then(() => (woken = true));
    await systemClock.wait(15);
    expect(woken).toBe(false);
    abort.abort();
    await wait;
  });

  it('leaves no listener on a signal after its wait', async () => {
    const abort = new AbortController();
    const removed = jest.spyOn(abort.signal, 'removeEventListener');
    await systemClock.wait(0, abort.signal);
    expect(removed).toHaveBeenCalledTimes(1);
  });

  it('writes instants as RFC 3339', () => {
    expect(timestampOf(1_800_000_000_123)).toBe('2027-01-15T08:00:00.123Z');
    expect(dateOf(1_800_000_000_123)).toBe('2027-01-15');
  });
});
