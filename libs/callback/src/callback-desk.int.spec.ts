import { describeOn, Gate, until } from '@tidings/testing';
import { at, SpecDesk } from './spec-desk.fixture';

const MINUTE = 60_000;
const HOUR = 3_600_000;

describeOn('postgres', 'the checks of the callback service', (url) => {
  let spec: SpecDesk;
  const ids = () => spec.asked.map(({ id }) => id).sort();

  beforeAll(async () => {
    spec = await SpecDesk.on(url);
  });
  beforeEach(() => spec.reset());
  afterAll(() => spec.close());

  it('give a confirmation that comes after its recheck the time of grace', async () => {
    const desk = spec.desk();
    await spec.recheck(desk, 'slow');
    await desk.runOnce();
    expect((await desk.measures()).unconfirmed).toEqual({ messages: 1, byGroup: { ranking: 1 } });
    await spec.confirm(desk, 'slow');
    await spec.moveTo(2_000);
    await desk.runOnce();
    expect(spec.asked).toEqual([]);
    expect((await desk.measures()).unconfirmed).toEqual({ messages: 0, byGroup: {} });
  });

  it('are none for what all have confirmed before', async () => {
    const desk = spec.desk();
    await spec.confirm(desk, 'quick');
    await spec.recheck(desk, 'quick');
    expect((await desk.measures()).unconfirmed.messages).toBe(0);
  });

  it('are one for a recheck that comes twice, and ask once', async () => {
    const desk = spec.desk({ graceMs: 0 });
    await spec.recheck(desk, 'twice');
    await spec.recheck(desk, 'twice');
    await desk.runOnce();
    await spec.recheck(desk, 'twice'); // once more while the question is open
    await desk.runOnce();
    expect(ids()).toEqual(['twice']);
    expect(await desk.measures()).toMatchObject({ rechecks: 3, resends: 1 });
  });

  it('are taken by one of two processes', async () => {
    const desks = [spec.desk({ graceMs: 0 }), spec.desk({ graceMs: 0 })];
    const names = Array.from({ length: 40 }, (_, n) => `m${String(n).padStart(2, '0')}`);
    for (const name of names) await spec.recheck(desks[0]!, name);
    const gate = new Gate();
    spec.answer = () => gate.opened.then(() => 'sent');
    const runs = desks.map((desk) => desk.runOnce());
    await until('both are at it, or one has all', () => spec.asked.length >= 8);
    gate.open();
    await Promise.all(runs);
    await Promise.all(desks.map((desk) => desk.runOnce()));
    expect(ids()).toEqual(names);
    expect((await desks[0]!.measures()).resends).toBe(40);
  });

  it('ask again later each time, up to the longest wait', async () => {
    const desk = spec.desk({ graceMs: 0, againMs: 5_000, maxAgainMs: 12_000 });
    await spec.recheck(desk, 'stubborn');
    const askedAt: number[] = [];
    for (let ms = 0; ms <= 60_000; ms += 1_000) {
      await spec.moveTo(ms);
      const before = spec.asked.length;
      await desk.runOnce();
      if (spec.asked.length > before) askedAt.push(ms / 1_000);
    }
    expect(askedAt).toEqual([0, 5, 15, 27, 39, 51]);
  });

  it('wait for a recheck that its transport could not delay', async () => {
    const desk = spec.desk();
    await spec.recheck(desk, 'kept', { afterMs: MINUTE });
    await spec.recheck(desk, 'confirmed meanwhile', { afterMs: MINUTE });
    await spec.moveTo(MINUTE - 1);
    await desk.runOnce();
    expect(spec.asked).toEqual([]);
    await spec.confirm(desk, 'confirmed meanwhile');
    await spec.moveTo(MINUTE);
    await desk.runOnce();
    expect(ids()).toEqual(['kept']);
  });

  it('come through an hour in which the service was down: late confirmations count, and only what is missing is asked for', async () => {
    const desk = spec.desk();
    await spec.moveTo(HOUR);
    // The hour's rechecks and confirmations wait on different topics: rechecks may well come first.
    for (const id of ['handled', 'lost']) await spec.recheck(desk, id);
    await spec.confirm(desk, 'handled', { at: at(20) });
    await desk.runOnce();
    await spec.moveTo(HOUR + 1_000);
    await desk.runOnce();
    expect(ids()).toEqual(['lost']);
    await spec.confirm(desk, 'lost', { at: at(HOUR + 1_500), resent: true });
    expect(await desk.measures()).toMatchObject({ unconfirmed: { messages: 0 }, resends: 1, falseAlarms: 0 });
  });

  it('expect the groups that were there before the message, and no later one', async () => {
    const desk = spec.desk({ graceMs: 0 });
    await spec.subscribe(desk, 'ranking', at(-MINUTE));
    await spec.subscribe(desk, 'late', at(1));
    await spec.recheck(desk, 'old', { groups: null });
    await spec.recheck(desk, 'new', { groups: null, time: at(2) });
    await desk.runOnce();
    const expected = new Map(spec.asked.map(({ id, groups }) => [id, groups]));
    expect(expected).toEqual(new Map([['old', ['ranking']], ['new', ['late', 'ranking']]])); // prettier-ignore
  });

  it('know a group since its first start, however often it starts again', async () => {
    const desk = spec.desk({ graceMs: 0 });
    await spec.subscribe(desk, 'ranking', at(-MINUTE));
    await spec.subscribe(desk, 'ranking', at(MINUTE));
    expect(await desk.subscriptions()).toEqual([{ type: 'gift.sent', group: 'ranking', since: at(-MINUTE) }]);
    await spec.recheck(desk, 'between', { groups: null });
    expect((await desk.measures()).unconfirmed.messages).toBe(1);
  });

  it('leave out a group that was forgotten, and expect nobody of a type without groups', async () => {
    const desk = spec.desk({ graceMs: 0 });
    await spec.recheck(desk, 'of nobody', { groups: null });
    expect((await desk.measures()).unconfirmed.messages).toBe(0);
    await spec.subscribe(desk, 'gone', at(-MINUTE));
    await spec.recheck(desk, 'open', { groups: null });
    expect(await desk.forget('gift.sent', 'gone')).toBe(true);
    expect(await desk.forget('gift.sent', 'gone')).toBe(false);
    await desk.runOnce();
    expect(spec.asked).toEqual([]);
    expect((await desk.measures()).unconfirmed.messages).toBe(0);
  });

  it('end when the sender says that it never happened, and go on while it cannot tell', async () => {
    const desk = spec.desk({ graceMs: 0 });
    await spec.recheck(desk, 'open');
    spec.answer = async () => 'undecided';
    await desk.runOnce();
    expect(await desk.measures()).toMatchObject({ unconfirmed: { messages: 1 }, never: 0, resends: 0 });
    spec.answer = async () => 'never';
    await spec.moveTo(MINUTE);
    await desk.runOnce();
    expect(await desk.measures()).toMatchObject({ unconfirmed: { messages: 0 }, never: 1, resends: 0 });
  });

  it('outlive a sender that cannot be reached, and a process that died with one in hand', async () => {
    const desk = spec.desk({ graceMs: 0 });
    await spec.recheck(desk, 'unlucky');
    spec.answer = () => Promise.reject(new Error('nobody there'));
    await desk.runOnce();
    expect(await desk.measures()).toMatchObject({ unconfirmed: { messages: 1 }, resends: 0 });
    await spec.moveTo(MINUTE);
    const gate = new Gate();
    spec.answer = () => gate.opened.then(() => Promise.reject(new Error('died')));
    const dead = desk.runOnce(); // its answer never comes
    await until('it is asked', () => spec.asked.length === 2);
    spec.answer = async () => 'sent';
    await spec.moveTo(2 * MINUTE);
    await spec.desk().runOnce();
    expect((await desk.measures()).resends).toBe(1);
    gate.open();
    await dead;
  });

  it('are given up as one dead letter that names the groups, and is the recheck itself', async () => {
    const desk = spec.desk({ graceMs: 0, checks: 2, againMs: 1, maxAgainMs: 1 });
    await spec.recheck(desk, 'hopeless', { groups: ['badges', 'ranking'] });
    await spec.confirm(desk, 'hopeless', { group: 'ranking' });
    let broken = true;
    spec.bury = async (letter) => {
      if (broken) throw new Error('the store is away');
      spec.letters.push(letter);
    };
    for (let minute = 0; minute < 3; minute++) {
      await spec.moveTo(minute * MINUTE);
      await desk.runOnce();
    }
    expect(await desk.measures()).toMatchObject({ unconfirmed: { messages: 1 }, wornOut: 0 }); // not forgotten before it is buried
    broken = false;
    await spec.moveTo(4 * MINUTE);
    await desk.runOnce();
    expect(await desk.measures()).toMatchObject({ unconfirmed: { messages: 0 }, wornOut: 1, resends: 2 });
    expect(spec.letters).toEqual([
      expect.objectContaining({
        place: 'callback',
        reason: 'unconfirmed: badges did not confirm gift.sent hopeless of shop; its sender answered "sent" last',
        message: expect.objectContaining({ type: 'tidings.recheck', source: 'shop' }),
      }),
    ]);
  });
});
