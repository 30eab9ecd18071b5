import { type Message, systemClock } from '@tidings/core';
import { type Death, describeOn, DyingStore, until } from '@tidings/testing';
import { gift, type SpecInstance, SpecParking } from './spec-parking.fixture';

describeOn('postgres', 'a process that dies while it parks and releases', (url) => {
  let spec: SpecParking;
  beforeAll(async () => {
    spec = await SpecParking.open(url);
  });
  afterEach(() => spec.clear());
  afterAll(() => spec.close());

  const options = { leaseMs: 100, pollMs: 20 };
  const names = ['a', 'b', 'c', 'd'];

  /** `a` fails for good, is redriven and fails once more; `c` fails once. */
  const behaviour = ({ id, generation }: Message, attempt: number): void => {
    if ((id === 'a' && (generation === 0 || attempt < 2)) || (id === 'c' && attempt < 2)) throw new Error('fails');
  };

  /** What the group's processes do, until all is done or this one is dead. Messages stay at the broker until they are accepted. */
  async function work(instance: SpecInstance, queue: Message[], alive: () => boolean): Promise<void> {
    const redrive = async (): Promise<void> => {
      const dead = spec.world.letters.at(-1);
      if (!dead) return;
      const head = { direction: 'inbound', place: 'badges', message: dead } as const;
      await instance.parkedKeys.resume(head, { kind: 'again', message: { ...dead, generation: dead.generation + 1 } });
    };
    const done = (): boolean => spec.world.effects.length === names.length;
    while (alive() && !done()) {
      try {
        while (queue[0]) {
          await instance.deliver(queue[0]);
          queue.shift();
        }
        await redrive();
        await instance.releaser.runOnce();
        await instance.releaser.idle();
      } catch (thrown) {
        if (alive()) throw thrown;
      }
      await systemClock.wait(5);
    }
  }

  it.each<Death>(['unsent', 'unheard'])(
    'loses, doubles and swaps nothing at whichever statement it dies: %s',
    async (how) => {
      let reached = 0;
      for (let at = 0; ; at++) {
        const dying = new DyingStore(spec.store).dieAfter(at, how);
        const queue = names.map((name) => gift(name));
        await work(spec.instance(behaviour, options, { store: dying.asStore() }), queue, () => dying.alive);
        const survived = dying.alive;
        if (!survived) await work(spec.instance(behaviour, options), queue, () => true);
        expect({ at, effects: spec.world.effects }).toEqual({ at, effects: names });
        if (survived) break;
        const next = spec.instance(behaviour, options);
        await next.releaser.start();
        await until('the key is free', async () => !(await spec.row()), { withinMs: 30_000 });
        reached = at;
        await spec.clear();
      }
      expect(reached).toBeGreaterThan(15);
    },
    120_000,
  );
});
