import { confirmed, failed, systemClock } from '@tidings/core';
import { describeOn, testMessage, until } from '@tidings/testing';
import { failureOf, letterOf } from './letter.fixture';
import type { RedriveWorker, RedriveWorkerParts } from './redrive-worker';
import { SpecRedrive } from './spec-redrive.fixture';
import { takeRedriveJob } from './sql/take-redrive-job';

const why = { by: 'Ada', reason: 'fixed in 1.2' };
const ALL = { filter: {} } as const;

describeOn('postgres', 'redrive jobs', (url) => {
  let spec: SpecRedrive;
  const workers: RedriveWorker[] = [];
  const started = (worker: RedriveWorker): RedriveWorker => {
    workers.push(worker);
    void worker.start();
    return worker;
  };

  beforeEach(async () => {
    spec = await SpecRedrive.open(url);
  });
  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.stop()));
    await spec.close();
  });

  it('redrives what a filter means and nothing else, in the order of burial, and tells how far it has got', async () => {
    await spec.bury(5);
    await spec.letters.bury(
      letterOf({ message: testMessage({ id: 'other' }), failures: [failureOf('x', 'TypeError')] }),
    );
    const { id, ...begun } = await spec.jobs.start({ filter: { errorName: 'Error' } }, { ...why, canary: 2 });
    expect(begun).toMatchObject({ status: 'running', ...why, canary: 2, redriven: 0, perSecond: null, endedAt: null });
    started(spec.worker());
    expect(await spec.ended(id)).toMatchObject({
      redriven: 5,
      failed: 0,
      skipped: 0,
      held: 0,
      canaryPassed: true,
      detail: null,
    });
    expect(await spec.effects()).toEqual(['m0', 'm1', 'm2', 'm3', 'm4']);
    expect((await spec.letters.list()).map(({ messageId }) => messageId)).toEqual(['other']);
    expect((await spec.jobs.find(id))!.endedAt).toMatch(/^\d{4}-/);
  });

  it('redrives letters by their ids, leaves out what is settled, and nothing that is buried later', async () => {
    await spec.bury(4);
    const ids = (await spec.letters.list()).map(({ id }) => id);
    await spec.letters.discard(ids[1]!, why);
    const { id } = await spec.jobs.start({ ids: [ids[3]!, ids[1]!, ids[0]!, '999'] }, { ...why, canary: 0 });
    const all = await spec.jobs.start(ALL, { ...why, canary: 0 });
    await spec.letters.bury(letterOf({ message: testMessage({ id: 'later' }) }));
    started(spec.worker());
    expect(await spec.ended(id)).toMatchObject({ redriven: 2, skipped: 0 });
    expect(await spec.ended(all.id)).toMatchObject({ redriven: 1 });
    expect(spec.sent).toEqual(['m0', 'm3', 'm2']);
  });

  it.each([
    { key: 'a' },
    { place: 'ranking' },
    { messageId: 'm0' },
    { type: 'gift.sent', text: 'luck', buriedFrom: '2020-01-01T00:00:00Z' },
  ])('redrives by the filter %j', async (filter) => {
    await spec.bury(1, ['a']);
    const [letter] = await spec.letters.list(filter);
    const { id } = await spec.jobs.start(
      { filter: { ...filter, failureFingerprint: letter!.failureFingerprint } },
      why,
    );
    started(spec.worker());
    expect(await spec.ended(id)).toMatchObject({ redriven: 1 });
  });

  it('tells what keeps it from going on, and goes on when that has passed', async () => {
    await spec.bury(1);
    const { id } = await spec.jobs.start(ALL, why);
    let broken = true;
    const redrive: RedriveWorkerParts['redrive'] = (letter, ofJob) =>
      broken ? Promise.reject(new Error('no such transport')) : spec.letters.redrive(letter, spec.publisher.of, ofJob);
    started(spec.worker({ redrive }));
    await until('it tells', async () => (await spec.jobs.find(id))?.detail === 'no such transport');
    broken = false;
    expect(await spec.ended(id)).toMatchObject({ redriven: 1, detail: null });
  });

  it('sends a canary and nothing more until it is handled', async () => {
    await spec.bury(3);
    spec.publisher.answer = () => confirmed; // it lies in a queue
    const { id } = await spec.jobs.start(ALL, why);
    started(spec.worker());
    await until('it waits', async () =>
      /^waits for the outcome of letter/.test((await spec.jobs.find(id))?.detail ?? ''),
    );
    expect(spec.sent).toEqual(['m0']);
    spec.publisher.answer = async ({ message }) => (await spec.receive(message), confirmed);
    await spec.receive(spec.publisher.sent[0]!.message);
    expect(await spec.ended(id)).toMatchObject({ redriven: 3 });
    expect(await spec.effects()).toEqual(['m0', 'm1', 'm2']);
  });

  it('stops when a canary fails again, and says why', async () => {
    await spec.bury(5);
    spec.failing.add('m1');
    const { id } = await spec.jobs.start(ALL, { ...why, canary: 3 });
    started(spec.worker());
    const job = await spec.ended(id, 'stopped');
    expect(job).toMatchObject({ redriven: 3, canaryPassed: false });
    expect(job.detail).toMatch(/^letter \d+ failed again as letter \d+: .*no luck again/);
    expect(spec.sent).toEqual(['m0', 'm1', 'm2']);
    expect((await spec.letters.list()).map(({ messageId }) => messageId)).toEqual(['m3', 'm4', 'm1']);
    expect(await spec.jobs.resume(id)).toBe(false);
  });

  it('stops when a canary cannot be published at all', async () => {
    await spec.bury(2);
    spec.publisher.answer = () => failed('unroutable', new Error('no queue'));
    const { id } = await spec.jobs.start(ALL, why);
    started(spec.worker());
    expect(await spec.ended(id, 'stopped')).toMatchObject({ failed: 1, redriven: 0, detail: expect.stringMatching(/unroutable.*no queue/) as unknown }); // prettier-ignore
    expect(spec.sent).toEqual(['m0']);
  });

  it('stops when an outbound canary fails again at its destination', async () => {
    const letters = [0, 1].map((n) => letterOf({ direction: 'outbound', place: 'main/gift.sent', message: testMessage({ id: `m${n}` }) })); // prettier-ignore
    for (const letter of letters) await spec.letters.bury(letter);
    spec.publisher.answer = async () => {
      await spec.letters.bury({ ...letters[0]!, reason: 'refused: no luck again' });
      return confirmed;
    };
    const { id } = await spec.jobs.start(ALL, why);
    started(spec.worker());
    expect((await spec.ended(id, 'stopped')).detail).toMatch(/^letter \d+ failed again: refused: no luck again/);
    expect(spec.sent).toEqual(['m0']);
    expect(await spec.letters.list()).toHaveLength(2);
  });

  it('pauses when the outcome of a canary does not show in time; resumed, it goes on with the others', async () => {
    await spec.bury(3);
    spec.publisher.answer = () => confirmed;
    const { id } = await spec.jobs.start(ALL, { ...why, outcomeWaitMs: 50 });
    started(spec.worker());
    expect((await spec.ended(id, 'paused')).detail).toMatch(/neither handled nor buried within 50 ms/);
    expect(spec.sent).toEqual(['m0']);
    expect(await spec.jobs.resume(id)).toBe(true);
    expect(await spec.ended(id)).toMatchObject({ redriven: 3 });
    expect(spec.sent).toEqual(['m0', 'm1', 'm2']);
  });

  it('needs no outcome of a group without an inbox but that it does not fail', async () => {
    await spec.bury(2);
    spec.publisher.answer = () => confirmed;
    const { id } = await spec.jobs.start(ALL, { ...why, outcomeWaitMs: 50 });
    started(spec.worker({ handled: async () => 'unknowable' }));
    expect(await spec.ended(id)).toMatchObject({ redriven: 2 });
  });

  it.each(['pause', 'cancel'] as const)('does no more than the letter in hand after a %s', async (order) => {
    await spec.bury(6);
    const { id } = await spec.jobs.start(ALL, { ...why, canary: 0 });
    const deliver = spec.publisher.answer;
    spec.publisher.answer = async (outgoing) => {
      if (outgoing.message.id === 'm2') expect(await spec.jobs[order](id)).toBe(true);
      return deliver(outgoing);
    };
    const worker = started(spec.worker());
    const job = await spec.ended(id, order === 'pause' ? 'paused' : 'cancelled');
    await worker.stop();
    expect(spec.sent).toEqual(['m0', 'm1', 'm2']);
    expect(await spec.jobs.find(id)).toMatchObject({ redriven: 3 });
    expect(job.endedAt === null).toBe(order === 'pause');
    spec.publisher.answer = deliver;
    started(spec.worker());
    expect(await spec.jobs.resume(id)).toBe(order === 'pause');
    if (order === 'cancel') return;
    expect(await spec.ended(id)).toMatchObject({ redriven: 6 });
    expect(await spec.effects()).toEqual(['m0', 'm1', 'm2', 'm3', 'm4', 'm5']);
  });

  it('is told of jobs that another process starts, and finds one that a dead process holds', async () => {
    await spec.bury(2);
    const NO_POLL = 3_600_000;
    started(spec.worker({ pollMs: NO_POLL }));
    const { id } = await spec.jobs.start({ ids: (await spec.letters.list({ limit: 1 })).map((one) => one.id) }, { ...why, canary: 0 }); // prettier-ignore
    await spec.ended(id);
    await Promise.all(workers.splice(0).map((worker) => worker.stop()));
    const held = await spec.jobs.start(ALL, { ...why, canary: 0 });
    await takeRedriveJob(spec.store, 500);
    started(spec.worker({ pollMs: NO_POLL }));
    expect(await spec.ended(held.id)).toMatchObject({ redriven: 1 });
  });

  it('keeps to its rate: pauses between letters, longer ones without holding the job', async () => {
    await spec.bury(5);
    const waits: number[] = [];
    const clock = { ...systemClock, wait: async (ms: number) => void waits.push(ms) };
    const fast = await spec.jobs.start({ ids: (await spec.letters.list({ limit: 3 })).map(({ id }) => id) }, { ...why, canary: 0, perSecond: 10 }); // prettier-ignore
    const signal = new AbortController().signal;
    await spec.worker({ clock }).runOnce(signal);
    expect(waits).toEqual([100, 100, 100]);
    expect(await spec.jobs.find(fast.id)).toMatchObject({ status: 'done', redriven: 3 });
    const slow = await spec.jobs.start(ALL, { ...why, canary: 0, perSecond: 0.01 });
    expect(await spec.worker({ clock }).runOnce(signal)).toEqual({ nextMs: 100_000 });
    const { nextMs } = await spec.worker({ clock }).runOnce(signal);
    expect(nextMs).toBeGreaterThan(50_000);
    expect(nextMs).toBeLessThanOrEqual(100_000);
    expect(await spec.jobs.find(slow.id)).toMatchObject({ status: 'running', redriven: 1 });
  });

  it('tries a letter again while its transport is away, in the same generation', async () => {
    await spec.bury(2);
    const deliver = spec.publisher.answer;
    let away = 1;
    spec.publisher.answer = (outgoing) =>
      away-- > 0 ? failed('transient', new Error('broker away')) : deliver(outgoing);
    const { id } = await spec.jobs.start(ALL, { ...why, canary: 0 });
    started(spec.worker());
    await until('it tells', async () => /broker away/.test((await spec.jobs.find(id))?.detail ?? ''));
    expect(await spec.ended(id)).toMatchObject({ redriven: 2, failed: 0, detail: null });
    expect(spec.publisher.sent.map(({ message }) => [message.id, message.generation])).toEqual([['m0', 1], ['m0', 1], ['m1', 1]]); // prettier-ignore
  });

  it('sends a letter only when the one before of its key was handled', async () => {
    await spec.bury(4, ['a', 'b']);
    spec.publisher.answer = () => confirmed;
    const { id } = await spec.jobs.start(ALL, { ...why, canary: 0 });
    started(spec.worker());
    await until('it waits', async () => /of the same key/.test((await spec.jobs.find(id))?.detail ?? ''));
    expect(spec.sent).toEqual(['m0', 'm1']);
    spec.publisher.answer = async ({ message }) => (await spec.receive(message), confirmed);
    for (const { message } of [...spec.publisher.sent]) await spec.receive(message);
    await spec.ended(id);
    expect(await spec.effects()).toEqual(['m0', 'm1', 'm2', 'm3']);
  });

  it('keeps back what follows a letter that failed again; the next job takes both, in their first order', async () => {
    await spec.bury(6, ['a', 'b']);
    spec.failing.add('m0');
    const first = await spec.jobs.start(ALL, { ...why, canary: 0 });
    started(spec.worker());
    expect(await spec.ended(first.id)).toMatchObject({ redriven: 4, held: 2 });
    expect(await spec.effects()).toEqual(['m1', 'm3', 'm5']);
    spec.failing.clear();
    const second = await spec.jobs.start(ALL, { ...why, canary: 0 });
    expect(await spec.ended(second.id)).toMatchObject({ redriven: 3, held: 0 });
    expect(await spec.effects()).toEqual(['m1', 'm3', 'm5', 'm0', 'm2', 'm4']);
  });

  it.each([
    ['one job', 1],
    ['three jobs for the same letters', 3],
  ])('has the effect of each letter once, in the order of its key, with three workers on %s', async (_what, count) => {
    await spec.bury(30, ['a', 'b', 'c']);
    const jobs = [];
    for (let n = 0; n < count; n++) jobs.push(await spec.jobs.start(ALL, { ...why, canary: 1 }));
    for (let n = 0; n < 3; n++) started(spec.worker());
    const ended = await Promise.all(jobs.map(({ id }) => spec.ended(id)));
    if (count === 1) expect(ended).toMatchObject([{ redriven: 30, skipped: 0 }]);
    const effects = (await spec.effects()).map((id) => Number(id.slice(1)));
    expect(effects).toHaveLength(30);
    for (const key of [0, 1, 2]) {
      const ofKey = effects.filter((n) => n % 3 === key);
      expect(ofKey).toEqual([...ofKey].sort((a, b) => a - b));
    }
  });

  it('refuses a bad selection or option, by its path', async () => {
    await expect(spec.jobs.start({ ids: [] }, why)).rejects.toThrow(/^redriveJobs\.start\.selection: /);
    await expect(spec.jobs.start({ filter: { typ: 'x' } } as never, why)).rejects.toThrow(/typ/);
    await expect(spec.jobs.start(ALL, { ...why, canary: 101 })).rejects.toThrow(/^redriveJobs\.start\.canary: /);
    await expect(spec.jobs.start(ALL, { ...why, reason: '' })).rejects.toThrow(/^redriveJobs\.start\.reason: /);
    expect(await spec.jobs.find('x')).toBeUndefined();
    expect(await spec.jobs.pause('77')).toBe(false);
    expect(await spec.jobs.list()).toEqual([]);
  });
});
