import { describeOn, server } from '@tidings/testing';
import type { Deed } from './deed-process.fixture';
import { DeedScene } from './deed-scene.fixture';

const INNOCENT = Array.from({ length: 24 }, (_, n) => `innocent-${String(n).padStart(2, '0')}`);
const withPoison = (deed: Deed) => {
  const deeds: { name: string; deed: Deed }[] = INNOCENT.map((name) => ({ name, deed: 'done' }));
  deeds.splice(9, 0, { name: 'poison', deed });
  return deeds;
};

describeOn('rabbitmq', 'a message that kills its process', (rabbit) => {
  const url = server('postgres')!;
  let scene: DeedScene | undefined;
  afterEach(async () => {
    await scene?.close();
    scene = undefined;
  }, 60_000);

  it.each<[string, Deed, boolean, boolean, string[]]>([
    ['process.exit, RabbitMQ', 'exit', true, false, []],
    ['process.exit, PostgreSQL', 'exit', false, false, []],
    ['SIGKILL, ordered, RabbitMQ', 'kill', true, true, []],
    ['SIGKILL, ordered, PostgreSQL', 'kill', false, true, []],
    ['out of memory, PostgreSQL', 'oom', false, false, ['--max-old-space-size=80']],
    ['out of memory, RabbitMQ', 'oom', true, false, ['--max-old-space-size=80']],
  ])(
    'is buried, and its innocent neighbours are not: %s',
    async (_, deed, onRabbit, ordered, execArgv) => {
      scene = await DeedScene.open(url, onRabbit ? rabbit : undefined);
      await scene.start(1, { ordered, attempts: 5 }, execArgv);
      await scene.publish(withPoison(deed));
      await scene.untilTrue('the letter', async () => (await scene!.letters()).length > 0);
      await scene.untilTrue('every innocent deed', async () => (await scene!.effects()).length === INNOCENT.length);
      expect(await scene.effects()).toEqual(INNOCENT);
      expect(await scene.letters()).toEqual([
        {
          name: 'poison',
          reason: expect.stringMatching(/^poison: killed its process 3 times \(.*\/.*, .*, .*\)$/),
          attempts: 1,
        },
      ]);
      // Once before it was suspect, three times on record, and never again. (Memory may run out once more beside a process's start.)
      expect((await scene.runs()).filter((name) => name === 'poison')).toHaveLength(4);
      expect(scene.deaths).toHaveLength(4);
      // Its neighbours in handlers at the first death on record were charged with that one, and with no other.
      const [most, ...others] = await scene.charges();
      expect([most, others.filter((deaths) => deaths > 1)]).toEqual([3, []]);
      await scene.untilTrue('no suspect is left', async () => (await scene!.suspects()) === 0);
    },
    300_000,
  );

  it.each<[string, boolean, boolean]>([
    ['RabbitMQ', true, false],
    ['PostgreSQL', false, false],
    ['ordered, RabbitMQ', true, true],
    ['ordered, PostgreSQL', false, true],
  ])(
    'is the only one of its batch that is charged: %s',
    async (_, onRabbit, ordered) => {
      scene = await DeedScene.open(url, onRabbit ? rabbit : undefined);
      await scene.start(1, { ordered, attempts: 5, batch: 8 });
      await scene.publish(withPoison('kill'));
      await scene.untilTrue('the letter', async () => (await scene!.letters()).length > 0);
      await scene.untilTrue('every innocent deed', async () => (await scene!.effects()).length === INNOCENT.length);
      expect(await scene.effects()).toEqual(INNOCENT);
      expect(await scene.letters()).toMatchObject([{ name: 'poison', attempts: 1 }]);
      expect(await scene.charges()).toEqual([3]);
      expect(scene.deaths).toHaveLength(4); // once in its batch, then alone
      await scene.untilTrue('no suspect is left', async () => (await scene!.suspects()) === 0);
    },
    300_000,
  );
});
