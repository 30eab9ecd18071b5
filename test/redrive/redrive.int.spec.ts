import { failed, type Publisher, type Store, type Transport } from '@tidings/core';
import { postgres } from '@tidings/postgres';
import { describeOn, server, until } from '@tidings/testing';
import { closeAll } from '../../libs/messaging/src/test-application.fixture';
import { SpecBroker } from '../../libs/transports/rabbitmq/src/spec-broker.fixture';
import { RedriveApplication, scene } from './redrive-application.fixture';

const why = { by: 'Ada', reason: 'fixed in 1.2' };
const PATIENT = { withinMs: 60_000 };
jest.setTimeout(120_000);

describeOn('rabbitmq', 'redrive in an application', (rabbit) => {
  const url = server('postgres')!;
  let application: RedriveApplication;
  let broker: SpecBroker;

  beforeEach(async () => {
    broker = await SpecBroker.at(rabbit);
  });
  afterEach(async () => {
    await closeAll();
    await application.drop();
    await broker.close();
  });

  describe.each<[string, (store: Store) => Transport]>([
    ['postgres', (store) => postgres({ store })],
    ['rabbitmq', () => broker.transport()],
  ])('on %s', (_kind, transportOf) => {
    const start = async () => (application = await RedriveApplication.start(url, transportOf));
    const ended = async (id: string, status = 'done') => {
      await until(`job ${id} is ${status}`, async () => (await application.letters.redriveJobs.find(id))?.status === status, PATIENT); // prettier-ignore
      return (await application.letters.redriveJobs.find(id))!;
    };

    it('redrives a group of failures to the group that gave up, behind a canary, each with one effect', async () => {
      const { letters, send, buried, ranked } = bound(await start());
      scene.broken = () => true;
      await send(...[1, 2, 3, 4, 5].map((n) => ({ room: `r${n}`, coins: n })));
      await buried(5);
      const [alike, ...others] = await letters.groups();
      expect([alike?.count, alike?.example.errorName, others]).toEqual([5, 'TypeError', []]);
      const selection = { filter: { failureFingerprint: alike!.value } };
      const stopped = await letters.redriveJobs.start(selection, { ...why, canary: 2 });
      expect(await ended(stopped.id, 'stopped')).toMatchObject({ redriven: 2, detail: expect.stringMatching(/cannot rank/) as unknown }); // prettier-ignore
      await buried(5);
      scene.broken = () => false;
      const job = await letters.redriveJobs.start(selection, { ...why, canary: 2, perSecond: 200 });
      expect(await ended(job.id)).toMatchObject({ redriven: 5, failed: 0, held: 0, skipped: 0 });
      expect((await ranked(5)).map(({ coins }) => coins).sort()).toEqual([1, 2, 3, 4, 5]);
      await until(
        'the screens know',
        async () => (await application.rows('select * from screen')).length === 5,
        PATIENT,
      );
      expect(scene.awarded).toBe(5);
      expect(await letters.list()).toEqual([]);
      const inbox = `select max(generation) as g, count(*)::int as n from "${application.store.schema}".inbox where subscription = 'ranking@gift.sent' and sealed is null`; // prettier-ignore
      expect(await application.rows(inbox)).toMatchObject([{ n: 5 }]);
    });

    it.each(['pause', 'cancel'] as const)('keeps to its rate, and does no more after a %s', async (order) => {
      const { letters, send, buried, ranked } = bound(await start());
      const { redriveJobs } = letters;
      scene.broken = () => true;
      await send(...[1, 2, 3, 4, 5, 6].map((n) => ({ room: `r${n}`, coins: n })));
      await buried(6);
      scene.broken = () => false;
      const { id } = await redriveJobs.start({ filter: {} }, { ...why, canary: 0, perSecond: 2 });
      await ranked(2);
      expect(await redriveJobs[order](id)).toBe(true);
      const { redriven } = await ended(id, order === 'pause' ? 'paused' : 'cancelled');
      expect(redriven).toBeLessThan(5);
      expect(await redriveJobs.resume(id)).toBe(order === 'pause');
      if (order === 'cancel') {
        // Another job takes what this one left, but for the letter that it had in hand.
        const { id: rest } = await redriveJobs.start({ filter: {} }, { ...why, canary: 0, perSecond: 2 });
        const taken = (await ended(rest)).redriven;
        const inHand = 6 - redriven - taken;
        expect([0, 1]).toContain(inHand);
        expect(await redriveJobs.find(id)).toMatchObject({ redriven: redriven + inHand });
      } else {
        const { createdAt, endedAt } = await ended(id);
        // Five times half a second lie between six letters; the pause may have cut one of them short.
        expect(Date.parse(endedAt!) - Date.parse(createdAt)).toBeGreaterThanOrEqual(4 * 500);
      }
      expect((await ranked(6)).map(({ coins }) => coins).sort()).toEqual([1, 2, 3, 4, 5, 6]);
      expect(await letters.list()).toEqual([]);
    });

    it('redrives in another database what was exported from this one', async () => {
      const { letters, send, buried } = bound(await start());
      scene.broken = () => true;
      await send({ room: 'r1', coins: 1 }, { room: 'r2', coins: 2 });
      await buried(2);
      const lines: string[] = [];
      for await (const line of letters.export({ place: 'ranking' })) lines.push(line);
      await closeAll();
      await application.drop();

      const { letters: imported, ranked } = bound(await start());
      expect(await imported.import(lines, why)).toEqual({ imported: 2, known: 0 });
      expect(await imported.import(lines, why)).toEqual({ imported: 0, known: 2 });
      const { id } = await imported.redriveJobs.start({ filter: { place: 'ranking' } }, why);
      expect(await ended(id)).toMatchObject({ redriven: 2 });
      expect((await ranked(2)).map(({ coins }) => coins).sort()).toEqual([1, 2]);
      expect(await imported.list()).toEqual([]);
    });

    it('lets a parked key go on with its redriven head, in order', async () => {
      const { letters, send, buried, ranked } = bound(await start());
      scene.broken = (coins) => coins === 1;
      await send(
        { room: 'r1', coins: 1 },
        { room: 'r1', coins: 2 },
        { room: 'r1', coins: 3 },
        { room: 'r2', coins: 9 },
      );
      await buried(1);
      expect((await ranked(1)).map(({ coins }) => coins)).toEqual([9]);
      scene.broken = () => false;
      const { id } = await letters.redriveJobs.start({ filter: { key: 'r1' } }, why);
      expect(await ended(id)).toMatchObject({ redriven: 1 });
      expect((await ranked(4)).map(({ coins }) => coins)).toEqual([9, 1, 2, 3]);
    });

    it('lets a parked key go on without its discarded head', async () => {
      const { letters, send, buried, ranked } = bound(await start());
      scene.broken = (coins) => coins === 1;
      await send({ room: 'r1', coins: 1 }, { room: 'r1', coins: 2 });
      await buried(1);
      const [letter] = await letters.list();
      expect(await letters.discard(letter!.id, why)).toEqual({ outcome: 'discarded' });
      expect((await ranked(1)).map(({ coins }) => coins)).toEqual([2]);
    });

    it('applies an edited payload once, and refuses one that does not fit its contract or its key', async () => {
      const { letters, send, buried, ranked } = bound(await start());
      scene.broken = (coins) => coins < 0;
      await send({ room: 'r1', coins: -5 });
      await buried(1);
      const [letter] = await letters.list();
      const edit = (gift: unknown) => letters.edit(letter!.id, { ...why, payload: JSON.stringify(gift) });
      await expect(edit({ room: 'r1', coins: 'five' })).rejects.toThrow(/fits its contract.*coins/);
      await expect(edit({ room: 'r2', coins: 5 })).rejects.toMatchObject({ code: 'TIDINGS_LETTER_EDIT' });
      expect(await edit({ room: 'r1', coins: 5 })).toEqual({ outcome: 'edited' });
      expect(await letters.redrive(letter!.id)).toMatchObject({ outcome: 'redriven' });
      expect(await ranked(1)).toEqual([{ room: 'r1', coins: 5 }]);
      expect(await letters.redrive(letter!.id)).toMatchObject({ outcome: 'settled' });
      expect(await letters.list()).toEqual([]);
    });

    it('dry-runs: tells what would become of letters, and leaves nothing behind', async () => {
      const { letters, send, buried } = bound(await start());
      scene.broken = () => true;
      scene.allowed = false;
      await send({ room: 'r1', coins: 1 }, { room: 'ghost', coins: 2 });
      await buried(2);
      await buried(2, 'badges');
      const counts = `select (select count(*)::int from "${application.store.schema}".inbox) as inbox, (select count(*)::int from "${application.store.schema}".message) as log, (select count(*)::int from ranking) as ranking`; // prettier-ignore
      const before = await application.rows(counts);
      const all = [...(await letters.list())].sort((a, b) => (a.key! > b.key! ? -1 : 1)); // r1, then ghost
      const dryRun = async (place: string) =>
        (await letters.dryRun({ ids: all.filter((letter) => letter.place === place).map(({ id }) => id) })).map(
          ({ outcome, checked, error }) => [outcome, checked, error?.message],
        );
      expect(await dryRun('ranking')).toEqual([
        ['would-fail', 'handler', 'cannot rank 1 coins'],
        ['would-fail', 'handler', 'cannot rank 2 coins'],
      ]);
      expect((await dryRun('badges')).map(([outcome, checked]) => [outcome, checked])).toEqual([
        ['would-fail', 'guards'],
        ['would-fail', 'guards'],
      ]);
      scene.broken = () => false;
      scene.allowed = true;
      expect(await dryRun('ranking')).toEqual([
        ['would-succeed', 'handler', undefined],
        ['would-fail', 'handler', expect.stringMatching(/foreign key/)],
      ]);
      expect(await dryRun('badges')).toEqual([
        ['would-succeed', 'guards', undefined],
        ['would-succeed', 'guards', undefined],
      ]);
      expect(await application.rows(counts)).toEqual(before);
      expect(scene).toMatchObject({ committed: 0, awarded: 0, intercepted: 0 });
      expect(await letters.list()).toEqual(expect.arrayContaining(all));
      expect(await letters.dryRun({ ids: ['999'] })).toEqual([
        { letter: '999', outcome: 'unknown', checked: 'nothing' },
      ]);
      await expect(letters.dryRun({ filter: {} }, { limit: 0 })).rejects.toThrow(/^deadLetters\.dryRun\.limit: /);
    });
  });

  it('redrives what a relay could not publish to every group, by a job', async () => {
    const transport = broker.transport();
    const publish: Publisher['publish'] = transport.publish.bind(transport);
    let refusing = true;
    transport.publish = async (messages) =>
      refusing ? messages.map(() => failed('refused', new Error('access refused'))) : publish(messages);
    application = await RedriveApplication.start(url, () => transport);
    const { letters } = application;
    await application.send({ room: 'r1', coins: 1 }, { room: 'r1', coins: 2 });
    // The other waits behind it, at the parked key.
    await until(
      'the first is buried',
      async () => (await letters.list({ direction: 'outbound' })).length === 1,
      PATIENT,
    );
    expect((await letters.dryRun({ filter: {} })).map(({ outcome, checked }) => `${outcome} ${checked}`)).toEqual([
      'would-succeed contract',
    ]);
    refusing = false;
    const { id } = await letters.redriveJobs.start({ filter: { direction: 'outbound' } }, why);
    await until('it ends', async () => (await letters.redriveJobs.find(id))?.status === 'done', PATIENT);
    expect((await application.ranked(2)).map(({ coins }) => coins)).toEqual([1, 2]);
    await until('badges too', () => scene.awarded === 2, PATIENT);
    expect(await letters.list()).toEqual([]);
  });
});

/** Methods that can be taken apart. */
function bound(application: RedriveApplication) {
  return {
    letters: application.letters,
    send: application.send.bind(application),
    buried: application.buried.bind(application),
    ranked: application.ranked.bind(application),
  };
}
