import { describeOn, server } from '@tidings/testing';
import { DeedScene } from './deed-scene.fixture';

const FAILING = Array.from({ length: 12 }, (_, n) => `failing-${n}`);
const GOOD = Array.from({ length: 12 }, (_, n) => `good-${n}`);

describeOn('rabbitmq', 'attempts of four processes', (rabbit) => {
  const url = server('postgres')!;
  let scene: DeedScene | undefined;
  afterEach(async () => {
    await scene?.close();
    scene = undefined;
  }, 60_000);

  it.each<[string, boolean, boolean]>([
    ['RabbitMQ', true, false],
    ['RabbitMQ, ordered', true, true],
    ['PostgreSQL', false, false],
    ['PostgreSQL, ordered', false, true],
  ])(
    'are five where five are allowed, however often the message changes hands: %s',
    async (_, onRabbit, ordered) => {
      scene = await DeedScene.open(url, onRabbit ? rabbit : undefined);
      await scene.start(4, { ordered, attempts: 5 });
      await scene.publish([
        ...FAILING.map((name) => ({ name, deed: 'fail' as const })),
        ...GOOD.map((name) => ({ name, deed: 'done' as const })),
      ]);
      await scene.untilTrue('every letter', async () => (await scene!.letters()).length === FAILING.length);
      await scene.untilTrue('every good deed', async () => (await scene!.effects()).length === GOOD.length);
      for (const name of FAILING) expect([name, await scene.attemptsOf(name)]).toEqual([name, [1, 2, 3, 4, 5]]);
      for (const name of GOOD) expect([name, await scene.attemptsOf(name)]).toEqual([name, [1]]);
      const told = new Set((await scene.letters()).map(({ attempts, reason }) => `${attempts} ${reason}`));
      expect(told).toEqual(new Set(['5 failed 5 times, the last with: as asked']));
    },
    150_000,
  );

  it.each<[string, boolean]>([
    ['RabbitMQ', true],
    ['PostgreSQL', false],
  ])(
    'do not count a run whose process was killed, which is a death on record instead: %s',
    async (_, onRabbit) => {
      scene = await DeedScene.open(url, onRabbit ? rabbit : undefined);
      await scene.start(4, { ordered: false, attempts: 5 });
      await scene.publish([{ name: 'killed', deed: 'killFirst' }]);
      await scene.untilTrue('the letter', async () => (await scene!.letters()).length === 1);
      expect(await scene.attemptsOf('killed')).toEqual([1, 1, 2, 3, 4, 5]);
      expect(scene.deaths).toEqual(['SIGKILL']);
      expect(await scene.letters()).toMatchObject([{ attempts: 5 }]);
    },
    150_000,
  );
});
