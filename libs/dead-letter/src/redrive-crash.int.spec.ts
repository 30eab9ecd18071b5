import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { asError, type Store } from '@tidings/core';
import { describeOn, until } from '@tidings/testing';
import type { RedriveOrders } from './redrive-process.fixture';
import { SpecRedrive } from './spec-redrive.fixture';

const why = { by: 'Ada', reason: 'fixed in 1.2' };

/** Dies at its n-th step, before or after it took place; from then on it does nothing any more. */
class Fuse {
  steps = 0;

  constructor(
    private readonly at: number,
    private readonly when: 'before' | 'after',
  ) {}

  get burnt(): boolean {
    return this.steps >= this.at;
  }

  async step<T>(work: () => Promise<T>): Promise<T> {
    const dead = (): Error => new Error('this process is dead');
    if (this.burnt) throw dead();
    this.steps += 1;
    if (this.burnt && this.when === 'before') throw dead();
    const result = await work();
    if (this.burnt) throw dead();
    return result;
  }
}

describeOn('postgres', 'a redrive job whose process dies', (url) => {
  let spec: SpecRedrive;
  beforeEach(async () => {
    spec = await SpecRedrive.open(url);
  });
  afterEach(() => spec.close());

  it.each(['before', 'after'] as const)(
    'is carried on by another process, wherever the first one died, %s the step',
    async (when) => {
      const deliver = spec.publisher.answer;
      let died = 0;
      for (let at = 1; ; at++) {
        await spec.pool.query(
          `truncate ${spec.schema}.dead_letter, ${spec.schema}.inbox, ${spec.schema}.effect cascade`,
        );
        await spec.bury(3, ['a', 'b']);
        const fuse = new Fuse(at, when);
        const store = Object.assign(Object.create(spec.store) as Store, {
          query: (statement: Parameters<Store['query']>[0]) => fuse.step(() => spec.store.query(statement)),
        });
        const { id } = await spec.jobs.start({ filter: {} }, { ...why, canary: 1 });
        const mortal = spec.worker({ store, leaseMs: 0 });
        spec.publisher.answer = (outgoing) => fuse.step(async () => deliver(outgoing));
        const signal = new AbortController().signal;
        while (!fuse.burnt && (await spec.jobs.find(id))!.status === 'running') {
          await mortal.runOnce(signal).catch((thrown) => expect(asError(thrown).message).toMatch(/dead/));
        }
        spec.publisher.answer = deliver;
        const heir = spec.worker();
        await heir.start();
        const job = await spec.ended(id);
        await heir.stop();
        expect({ at, redriven: job.redriven, skipped: job.skipped, effects: await spec.effects() }).toEqual({
          at,
          redriven: 3,
          skipped: 0,
          effects: ['m0', 'm1', 'm2'],
        });
        expect(await spec.letters.list()).toEqual([]);
        if (!fuse.burnt) break;
        died = at;
      }
      expect(died).toBeGreaterThan(15);
    },
    120_000,
  );

  it('moves nothing any more when another process has taken it over meanwhile', async () => {
    await spec.bury(4);
    const deliver = spec.publisher.answer;
    const { id } = await spec.jobs.start({ filter: {} }, { ...why, canary: 0 });
    spec.publisher.answer = async (outgoing) => {
      spec.publisher.answer = deliver;
      const heir = spec.worker();
      await heir.start();
      await spec.ended(id);
      await heir.stop();
      return deliver(outgoing); // the first process wakes up, and its message is a copy
    };
    await spec.worker({ leaseMs: 0 }).runOnce(new AbortController().signal);
    expect(await spec.jobs.find(id)).toMatchObject({ status: 'done', redriven: 4, skipped: 0 });
    expect(await spec.effects()).toEqual(['m0', 'm1', 'm2', 'm3']);
    expect(spec.sent).toEqual(['m0', 'm0', 'm1', 'm2', 'm3']);
  });

  it('SIGKILL between two letters and between publishing and marking: the other process ends it, exactly', async () => {
    await spec.bury(40, ['a', 'b', 'c']);
    const { id } = await spec.jobs.start({ filter: {} }, { ...why, canary: 1 });
    const children: ChildProcess[] = [];
    for (const hangAfter of [7, 13]) {
      const child = fork(join(__dirname, 'redrive-process.fixture.ts'), {
        execArgv: ['--require', join(__dirname, '../../testing/register-sources.cjs')],
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      });
      children.push(child);
      let hangs = false;
      child.on('message', () => (hangs = true));
      child.send({ url, schema: spec.schema, hangAfter } satisfies RedriveOrders);
      await until('it hangs', () => hangs, { withinMs: 60_000 });
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    const heir = spec.worker();
    await heir.start();
    expect(await spec.ended(id)).toMatchObject({ redriven: 40, skipped: 0, held: 0 });
    await heir.stop();
    expect(await spec.effects()).toEqual(Array.from({ length: 40 }, (_, n) => `m${n}`));
    expect(await spec.letters.list()).toEqual([]);
  }, 120_000);
});
