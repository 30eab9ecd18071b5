import { Gate, ManualClock, until } from '@tidings/testing';
import fc from 'fast-check';
import { silentLogger } from '../logger';
import { type Clock, systemClock } from './clock';
import { PeriodicTask, type PeriodicTaskOptions } from './periodic-task';

const task = (runOnce: PeriodicTaskOptions['runOnce'], more: Partial<PeriodicTaskOptions> = {}): PeriodicTask =>
  new PeriodicTask({ name: 'test', everyMs: 10_000, runOnce, clock: new ManualClock(), logger: silentLogger, ...more });

describe('periodic task', () => {
  it('runs at once, and again a turn after the run has ended, give or take a tenth', async () => {
    const clock = new ManualClock();
    let runs = 0;
    const periodic = task(async () => void runs++, { clock });
    periodic.start();
    for (const expected of [1, 2, 3]) {
      await until(`run ${expected} ended`, () => runs === expected && clock.sleeping === 1);
      clock.advance(clock.waits.at(-1)!);
    }
    await periodic.stop();
    expect(clock.waits.filter((ms) => ms < 9_500 || ms > 10_500)).toEqual([]);
    expect(new Set(clock.waits).size).toBeGreaterThan(1);
  });

  it('runs on without waiting while a run says so, and sooner when it says when', async () => {
    const clock = new ManualClock();
    const reports = [{ again: true }, { again: true }, { nextMs: 40 }, { nextMs: 1_000_000 }];
    const periodic = task(async () => reports.shift(), { clock });
    periodic.start();
    await until('it waits', () => clock.sleeping === 1);
    expect(reports).toHaveLength(1);
    expect(clock.waits).toEqual([40]);
    clock.advance(40);
    await until('it waits again', () => clock.sleeping === 1);
    expect(clock.waits[1]).toBeLessThanOrEqual(10_500);
    await periodic.stop();
  });

  it('goes on after a run that failed, and logs it', async () => {
    const clock = new ManualClock();
    const logged: unknown[] = [];
    let runs = 0;
    const logger = { ...silentLogger, error: (fields: object) => void logged.push(fields) };
    const periodic = task(
      () => {
        runs += 1;
        if (runs === 1) throw new Error('thrown at once');
        return Promise.reject(new Error('rejected'));
      },
      { clock, logger },
    );
    periodic.start();
    await until('the first failed', () => clock.sleeping === 1);
    clock.advance(1_000);
    await until('it waits for its turn', () => clock.waits.length === 2);
    clock.advance(10_000);
    await until('the second failed', () => logged.length === 2);
    await periodic.stop();
    expect(logged).toMatchObject([
      { task: 'test', err: { message: 'thrown at once' } },
      { err: { message: 'rejected' } },
    ]);
  });

  it('does not let a storm of wakes become a storm of failures, nor forget the wake', async () => {
    const clock = new ManualClock();
    let runs = 0;
    const periodic = task(() => Promise.reject(new Error(`run ${++runs}`)), { clock });
    periodic.start();
    await until('the first failed', () => clock.sleeping === 1);
    for (let n = 0; n < 20; n++) {
      periodic.wake();
      await systemClock.wait(0);
    }
    expect(runs).toBe(1);
    clock.advance(1_000);
    await until('the wake is answered', () => runs === 2);
    await periodic.stop();
  });

  it('runs when it is woken, and once more when it was woken during a run', async () => {
    const clock = new ManualClock();
    let gate = new Gate();
    let runs = 0;
    const periodic = task(
      async () => {
        runs += 1;
        await gate.opened;
      },
      { clock },
    );
    periodic.start();
    await until('the first runs', () => runs === 1);
    periodic.wake();
    periodic.wake();
    const [first, second] = [gate, new Gate()];
    gate = second;
    first.open();
    await until('the second runs', () => runs === 2);
    second.open();
    await until('it waits', () => clock.sleeping === 1);
    expect(runs).toBe(2);
    periodic.wake();
    await until('it woke', () => runs === 3);
    await periodic.stop();
  });

  it('aborts the run in flight when it stops, waits for it, and runs no more', async () => {
    const clock = new ManualClock();
    const gate = new Gate();
    const told: string[] = [];
    const periodic = task(
      async (signal) => {
        signal.addEventListener('abort', () => told.push('aborted'), { once: true });
        await gate.opened;
        told.push('ended');
      },
      { clock },
    );
    periodic.start();
    await systemClock.wait(0);
    const stopped = [periodic.stop(), periodic.stop()].map((stop) => stop.then(() => told.push('stopped')));
    await systemClock.wait(5);
    expect(told).toEqual(['aborted']);
    gate.open();
    await Promise.all(stopped);
    expect(told).toEqual(['aborted', 'ended', 'stopped', 'stopped']);
    periodic.wake();
    await systemClock.wait(0);
    expect([told.length, clock.sleeping]).toEqual([4, 0]);
  });

  it('may be stopped before it was started, and started again', async () => {
    let runs = 0;
    const periodic = task(async () => void runs++);
    await periodic.stop();
    periodic.start();
    periodic.start();
    await until('it ran', () => runs === 1);
    await periodic.stop();
    periodic.start();
    await until('it ran again', () => runs === 2);
    await periodic.stop();
  });

  it('whatever is called in whatever order: one run at a time, none after the last stop, and a wake while started is never lost', async () => {
    const step = fc.constantFrom('start', 'stop', 'stop unawaited', 'wake', 'wait', 'wait');
    const hurried: Clock = { ...systemClock, wait: (ms, signal) => systemClock.wait(ms > 100 ? 60_000 : ms, signal) };
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40 }),
        fc.array(fc.constantFrom('ok', 'again', 'fail'), { maxLength: 40 }),
        async (steps, ends) => {
          let running = 0;
          let overlapped = false;
          let begun = 0;
          const runOnce = async (): Promise<{ again: boolean }> => {
            begun += 1;
            overlapped ||= ++running > 1;
            await systemClock.wait(1);
            running -= 1;
            const end = ends.shift();
            if (end === 'fail') throw new Error('planned');
            return { again: end === 'again' };
          };
          const periodic = task(runOnce, { clock: hurried, everyMs: 50 });
          const stops: Promise<void>[] = [];
          for (const one of steps) {
            if (one === 'start') periodic.start();
            else if (one === 'stop') await periodic.stop();
            else if (one === 'stop unawaited') stops.push(periodic.stop());
            else if (one === 'wake') periodic.wake();
            else await systemClock.wait(1);
          }
          ends.length = 0;
          periodic.start();
          await until('the runs planned to go on have ended', () => running === 0);
          const before = begun;
          periodic.wake();
          await until('the wake was answered', () => begun > before, { everyMs: 1 });
          await Promise.all([...stops, periodic.stop()]);
          const last = begun;
          periodic.wake();
          await systemClock.wait(2);
          expect([overlapped, running, begun]).toEqual([false, 0, last]);
        },
      ),
      { numRuns: 40 },
    );
  }, 60_000);
});
