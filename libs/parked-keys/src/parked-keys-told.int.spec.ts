import { type Statement, type Store, systemClock, TidingsError } from '@tidings/core';
import { describeOn, until } from '@tidings/testing';
import { gift, SpecParking } from './spec-parking.fixture';

/** Nobody finds anything by polling. */
const NO_POLL = { pollMs: 3_600_000 };

/** A process's own way to the database: its statements, and its end. */
class Wire {
  readonly texts: string[] = [];
  #cut = false;

  constructor(private readonly store: Store) {}

  cut(): void {
    this.#cut = true;
  }

  asStore(): Store {
    return new Proxy(this.store, {
      get: (target, property) => {
        if (property === 'query') return (statement: Statement) => this.#query(statement);
        const found: unknown = Reflect.get(target, property);
        return typeof found === 'function' ? (found.bind(target) as unknown) : found;
      },
    });
  }

  async #query(statement: Statement): Promise<unknown> {
    if (this.#cut) throw new TidingsError('TIDINGS_TEST_DEATH', 'this process is dead');
    this.texts.push(statement.text);
    return this.store.query(statement);
  }
}

describeOn('postgres', 'processes that are told of parked keys', (url) => {
  let spec: SpecParking;
  beforeAll(async () => {
    spec = await SpecParking.open(url);
  });
  afterEach(() => spec.clear());
  afterAll(() => spec.close());

  const fails = (): never => {
    throw new Error('fails');
  };
  const free = (): Promise<void> => until('the key is free', async () => !(await spec.row()), { withinMs: 30_000 });

  it('release the key of a process that died as soon as it had parked it', async () => {
    const heir = spec.instance(() => undefined, NO_POLL);
    await heir.releaser.start();
    await spec.instance(fails, NO_POLL).deliver(gift('a'));
    await free();
    expect(spec.world.effects).toEqual(['a']);
  });

  it('release a key that another process was releasing when it died, once its lease is over', async () => {
    let claimed = false;
    const wire = new Wire(spec.store);
    const hangs = (): Promise<void> => {
      claimed = true;
      return new Promise(() => undefined);
    };
    const dying = spec.instance(hangs, { ...NO_POLL, leaseMs: 300 }, { store: wire.asStore() });
    const heir = spec.instance(() => undefined, { ...NO_POLL, leaseMs: 300 });
    await spec.instance(fails, NO_POLL).deliver(gift('a'));
    await dying.releaser.runOnce();
    await until('it has it', () => claimed);
    await heir.releaser.start();
    expect(await spec.row()).toMatchObject({ waiting: ['a'] });
    wire.cut();
    await free();
    expect(spec.world.effects).toEqual(['a']);
  });

  it('release a key that was redriven in another process', async () => {
    const heir = spec.instance(({ generation }) => (generation === 0 ? fails() : undefined), NO_POLL);
    await heir.releaser.start();
    await spec.instance(() => ({ kind: 'reject', reason: 'refused' }), NO_POLL).deliver(gift('a'));
    expect(await spec.row()).toMatchObject({ state: 'dead' });
    await spec.instance(fails, NO_POLL).deliver(gift('a', 'k', { generation: 1 })); // by its broker: not by way of its letter
    await free();
    expect(spec.world.effects).toEqual(['a']);
  });

  it('ask nothing while nothing is due', async () => {
    const wire = new Wire(spec.store);
    const { texts } = wire;
    const idle = spec.instance(() => undefined, NO_POLL, { store: wire.asStore() });
    await idle.releaser.start();
    await until('it has looked', () => texts.length > 0);
    await spec.instance(() => ({ kind: 'reject', reason: 'refused' }), NO_POLL).deliver(gift('a'));
    await spec.instance(() => ({ kind: 'retry', afterMs: 60_000, counted: true }), NO_POLL).deliver(gift('b', 'l'));
    const before = texts.length;
    await systemClock.wait(2_500); // nothing must happen: there is no condition to wait for
    expect(texts.slice(before)).toEqual([]);
  });
});
