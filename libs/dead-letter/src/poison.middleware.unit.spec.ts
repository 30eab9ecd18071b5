import { accept, type Delivery, fixed, type HandlerDefinition, MessageContext, OptionsError, reject, release, retry, type Settlement } from '@tidings/core'; // prettier-ignore
import { Gate, testMessage, until } from '@tidings/testing';
import type { AttemptLedger } from './attempt-ledger';
import { type PoisonOptions, poisonMiddlewares } from './poison.middleware';

/** A ledger in memory, whose process may crash: the middlewares are made anew, the ledger stays. */
class FakeLedger implements AttemptLedger {
  readonly rows = new Map<string, { running: boolean; by: string; deaths: number; instances: string[] }>();
  readonly calls: string[] = [];
  failure: Error | undefined;

  async begin({ message }: { message: { id: string } }, instance: string) {
    this.#called('begin', message.id);
    const row = this.rows.get(message.id) ?? { running: false, by: instance, deaths: 0, instances: [] };
    if (row.running) {
      row.deaths += 1;
      row.instances.push(row.by);
    }
    Object.assign(row, { running: true, by: instance });
    this.rows.set(message.id, row);
    return { deaths: row.deaths, instances: [...row.instances] };
  }
  async withdraw({ message }: { message: { id: string } }) {
    this.#called('withdraw', message.id);
    this.rows.get(message.id)!.running = false;
  }
  async end({ message }: { message: { id: string } }) {
    this.#called('end', message.id);
    this.rows.delete(message.id);
  }
  readonly deathsOf = (id: string): number | undefined => this.rows.get(id)?.deaths;

  #called(call: string, id: string): void {
    this.calls.push(`${call} ${id}`);
    if (this.failure) throw this.failure;
  }
}

describe('poison', () => {
  let ledger: FakeLedger;
  let stop: AbortController;
  beforeEach(() => {
    ledger = new FakeLedger();
    stop = new AbortController();
  });

  /** A process: what it is given runs through both middlewares, with a burial between them that does as told. */
  const processOf = (instance: string, options: PoisonOptions = {}, bury: () => Settlement = () => accept) => {
    const { record, verdict } = poisonMiddlewares({ ledgerOf: () => ledger, instance, againAfterMs: 55, ...options });
    return (id: string, work: () => Promise<Settlement>, over: Partial<Delivery> = {}, handler = {}) => {
      const definition = {
        store: 'main',
        level: 'effectivelyOnce',
        retry: fixed(),
        subscription: { group: 'ranking', broadcast: false },
        ...handler,
      } as unknown as HandlerDefinition;
      const delivery = { message: testMessage({ id }), attempt: 1, redelivered: true, ...over };
      const context = new MessageContext(delivery, definition, stop.signal);
      return record(context, async () => {
        const settlement = await verdict(context, work);
        return settlement.kind === 'reject' ? bury() : settlement;
      });
    };
  };
  const crash = (): Promise<Settlement> => new Promise(() => undefined);
  const crashed = (id: string, times: number): Promise<void> =>
    until(`${times} attempts`, () => ledger.calls.filter((call) => call === `begin ${id}`).length >= times);

  it('costs nothing for a message that was not delivered before', async () => {
    await expect(processOf('a')('1', async () => accept, { redelivered: false })).resolves.toEqual(accept);
    expect(ledger.calls).toEqual([]);
  });

  it.each([
    ['a broadcast', { subscription: { group: 'ranking', broadcast: true } }],
    ['what was accepted before it is handled', { level: 'atMostOnce' }],
  ])('leaves %s alone', async (_, handler) => {
    await expect(processOf('a')('1', async () => accept, {}, handler)).resolves.toEqual(accept);
    expect(ledger.calls).toEqual([]);
  });

  it.each([accept, retry(5), reject('no'), release])(
    'remembers a suspect until it is settled: $kind',
    async (settled) => {
      const handled = processOf('a')('1', async () => {
        expect(ledger.rows.get('1')).toMatchObject({ running: true, deaths: 0 });
        return settled;
      });
      await expect(handled).resolves.toEqual(settled.kind === 'reject' ? accept : settled);
      expect(ledger.calls).toEqual(['begin 1', 'end 1']);
    },
  );

  it('buries it, unhandled, when as many processes died over it as allowed, and names them', async () => {
    for (const [n, instance] of ['a', 'b', 'c'].entries()) {
      void processOf(instance)('1', crash);
      await crashed('1', n === 0 ? 1 : 2 * n + 1);
    }
    let reason: string | undefined;
    const { record, verdict } = poisonMiddlewares({ ledgerOf: () => ledger, instance: 'd' });
    const context = new MessageContext(
      { message: testMessage({ id: '1' }), attempt: 1, redelivered: true },
      { store: 'main', level: 'atLeastOnce', subscription: { group: 'r' } } as unknown as HandlerDefinition,
      stop.signal,
    );
    await record(context, async () => {
      const settlement = await verdict(context, () => Promise.reject(new Error('must not be handled')));
      reason = settlement.kind === 'reject' ? settlement.reason : settlement.kind;
      expect(ledger.deathsOf('1')).toBe(3); // until the letter is durable
      return accept;
    });
    expect(reason).toBe('poison: killed its process 3 times (a, b, c)');
    expect(ledger.rows.size).toBe(0);
  });

  it('keeps the record of what could not be buried', async () => {
    ledger.rows.set('1', { running: true, by: 'a', deaths: 2, instances: ['x', 'y'] });
    const again = retry(1, { counted: false });
    await expect(processOf('b', {}, () => again)('1', crash)).resolves.toEqual(again);
    await expect(processOf('c', {}, () => again)('1', crash)).resolves.toEqual(again);
    expect(ledger.deathsOf('1')).toBe(3); // nobody died of it meanwhile
  });

  it('charges the one that kills alone, once there was a death: the others wait for their turn uncharged', async () => {
    for (const id of ['poison', 'i1', 'i2']) void processOf('a', { after: 3 })(id, crash);
    await crashed('i2', 1);
    for (const instance of ['b', 'c']) {
      const run = processOf(instance);
      for (const id of ['poison', 'i1', 'i2']) void run(id, crash);
      await until('the innocent wait', () => ledger.rows.get('i2')?.running === false);
      await until('the head runs', () => ledger.rows.get('poison')?.running === true);
    }
    expect(['poison', 'i1', 'i2'].map(ledger.deathsOf)).toEqual([2, 1, 1]);
    const run = processOf('d');
    const mustNot = (): Promise<Settlement> => Promise.reject(new Error('must not be handled'));
    const settled = [run('poison', mustNot), run('i1', async () => retry(7)), run('i2', async () => accept)];
    await expect(Promise.all(settled)).resolves.toEqual([accept, retry(7), accept]);
    expect(ledger.rows.size).toBe(0);
  });

  it('lets the next one have its turn when the one before is settled', async () => {
    for (const id of ['1', '2']) ledger.rows.set(id, { running: true, by: 'x', deaths: 0, instances: ['x'] });
    const gate = new Gate();
    const run = processOf('a');
    let [running, most] = [0, 0];
    const work = async (): Promise<Settlement> => {
      most = Math.max(most, ++running);
      await gate.opened;
      running -= 1;
      return accept;
    };
    const both = [run('1', work), run('2', work)];
    await until('the first', () => running === 1);
    gate.open();
    await expect(Promise.all(both)).resolves.toEqual([accept, accept]);
    expect([most, ledger.rows.size]).toEqual([1, 0]);
  });

  it('passes its turn on when the handler throws or the stop comes first', async () => {
    for (const id of ['1', '2', '3']) ledger.rows.set(id, { running: true, by: 'x', deaths: 0, instances: [] });
    const gate = new Gate();
    const run = processOf('a');
    let begun = false;
    const first = run('1', async () => {
      begun = true;
      await gate.opened;
      throw new Error('broken');
    });
    const second = run('2', async () => accept);
    await until('the first', () => begun);
    stop.abort();
    gate.open();
    await expect(first).rejects.toThrow('broken');
    await expect(second).resolves.toEqual(release);
    stop = new AbortController();
    await expect(run('3', async () => accept)).resolves.toEqual(accept);
  });

  it('does not handle a suspect that it cannot remember', async () => {
    ledger.failure = new Error('store away');
    const settled = processOf('a')('1', () => Promise.reject(new Error('must not be handled')));
    await expect(settled).resolves.toEqual(retry(55, { counted: false, error: ledger.failure }));
  });

  it('settles as before when the record cannot be deleted', async () => {
    const run = processOf('a');
    const handled = run('1', async () => {
      ledger.failure = new Error('store away');
      return accept;
    });
    await expect(handled).resolves.toEqual(accept);
  });

  it.each([[0], [1.5], [NaN]])('refuses to bury after %d deaths', (after) => {
    expect(() => poisonMiddlewares({ ledgerOf: () => undefined, instance: 'a', after })).toThrow(OptionsError);
  });
});
