import { silentLogger } from '@tidings/core';
import { ManualClock } from '@tidings/testing';
import { checkBacklogGateOptions } from './backlog-gate.options';
import { BacklogGauge } from './backlog-gauge';

describe('a backlog gauge', () => {
  let clock: ManualClock;
  let backlog: number;
  let fails: boolean;
  let measured: number;
  let gauge: BacklogGauge;

  beforeEach(() => {
    [clock, backlog, fails, measured] = [new ManualClock(), 0, false, 0];
    const measure = () => {
      measured += 1;
      return fails ? Promise.reject(new Error('away')) : Promise.resolve(backlog);
    };
    const options = checkBacklogGateOptions('gate', { maxBacklog: 100, resumeAt: 50, refreshMs: 200 });
    gauge = new BacklogGauge(measure, options, clock, silentLogger);
  });

  const later = async (messages: number): Promise<boolean> => {
    backlog = messages;
    clock.advance(10_000);
    return (await gauge.read()).full;
  };

  it('is full from the limit up until it has fallen to where it resumes', async () => {
    const answers: boolean[] = [];
    for (const messages of [99, 100, 99, 51, 50, 99, 100]) answers.push(await later(messages));
    expect(answers).toEqual([false, true, true, true, false, false, true]);
  });

  it('measures once for all who ask within its time, and afterwards behind their backs', async () => {
    backlog = 100;
    const readings = await Promise.all(Array.from({ length: 50 }, () => gauge.read()));
    expect([measured, readings.every(({ full }) => full)]).toEqual([1, true]);
    backlog = 0;
    clock.advance(199);
    await gauge.read();
    expect(measured).toBe(1);
    clock.advance(1);
    expect((await gauge.read()).full).toBe(true);
    expect(measured).toBe(2);
    expect((await gauge.read()).full).toBe(false);
    expect(measured).toBe(2);
  });

  it('stays as it is while it cannot measure, and lets through what it never could', async () => {
    fails = true;
    expect(await later(0)).toBe(false);
    fails = false;
    expect(await later(100)).toBe(true);
    fails = true;
    expect(await later(0)).toBe(true);
    fails = false;
    expect(await later(0)).toBe(false);
  });

  it.each([
    [{ maxBacklog: 0 }, 'gate.maxBacklog'],
    [{ maxBacklog: 10, resumeAt: 10 }, 'gate.resumeAt: must be below maxBacklog'],
    [{ maxBacklog: 10, retryAfterS: 0.5 }, 'gate.retryAfterS'],
    [{ maxBacklog: 10, topics: [] }, 'gate.topics'],
  ])('refuses %j', (options, problem) => {
    expect(() => checkBacklogGateOptions('gate', options)).toThrow(problem);
  });

  it('resumes at four fifths unless told otherwise', () => {
    expect(checkBacklogGateOptions('gate', { maxBacklog: 5_000 })).toMatchObject({ resumeAt: 4_000, retryAfterS: 1 });
  });
});
