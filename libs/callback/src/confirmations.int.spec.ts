import { describeOn } from '@tidings/testing';
import { at, daysAgo, SpecDesk, TODAY } from './spec-desk.fixture';

const DAY = 86_400_000;
const tableOf = (day: string): string => `callback_confirmation_${day.replaceAll('-', '')}`;

describeOn('postgres', 'confirmations', (url) => {
  let spec: SpecDesk;

  beforeAll(async () => {
    spec = await SpecDesk.on(url);
  });
  beforeEach(() => spec.reset());
  afterAll(() => spec.close());

  it('count once however often they come, from two processes at once too', async () => {
    const desks = [spec.desk(), spec.desk(), spec.desk()];
    await Promise.all(desks.flatMap((desk) => [spec.confirm(desk, 'm'), spec.confirm(desk, 'm')]));
    expect((await desks[0]!.measures()).latency).toEqual([expect.objectContaining({ group: 'ranking', confirmations: 1 })]); // prettier-ignore
  });

  describe('after a message was sent again', () => {
    const resent = async () => {
      const desk = spec.desk({ graceMs: 0 });
      await spec.recheck(desk, 'm', { groups: ['badges', 'ranking'] });
      await desk.runOnce();
      expect(spec.asked).toHaveLength(1);
      return desk;
    };

    it('are no alarm when that is what was handled', async () => {
      const desk = await resent();
      await spec.confirm(desk, 'm', { resent: true });
      await spec.confirm(desk, 'm', { resent: true, group: 'badges' });
      expect(await desk.measures()).toMatchObject({ falseAlarms: 0, unconfirmed: { messages: 0 } });
    });

    it('are a false alarm when the inbox knew it, or when it is the first sending that was handled', async () => {
      const desk = await resent();
      await spec.confirm(desk, 'm', { resent: true, copy: true });
      await spec.confirm(desk, 'm', { resent: true, copy: true }); // twice is one alarm
      await spec.confirm(desk, 'm', { group: 'badges' });
      expect(await desk.measures()).toMatchObject({ falseAlarms: 2, unconfirmed: { messages: 0 } });
    });

    it.each([-DAY / 24, DAY / 24])('are judged alike when the clock of a consumer is %i ms off', async (off) => {
      const desk = await resent();
      await spec.confirm(desk, 'm', { at: at(off), resent: true });
      await spec.confirm(desk, 'm', { at: at(off), group: 'badges' });
      expect(await desk.measures()).toMatchObject({ falseAlarms: 1, unconfirmed: { messages: 0 } });
    });

    it('are no alarm for a group that nothing was sent to again', async () => {
      const desk = await resent();
      await spec.confirm(desk, 'm', { group: 'gateway' });
      await spec.confirm(desk, 'm', { group: 'archive', copy: true });
      expect(await desk.measures()).toMatchObject({ falseAlarms: 0, unconfirmed: { messages: 1 } });
    });
  });

  it('tell the latency of each group', async () => {
    const desk = spec.desk();
    for (let n = 1; n <= 100; n++) await spec.confirm(desk, `m${n}`, { at: at(n) });
    await spec.confirm(desk, 'm1', { at: at(700), group: 'badges' });
    const { latency } = await desk.measures();
    expect(latency.map(({ group, confirmations }) => [group, confirmations])).toEqual([['badges', 1], ['ranking', 100]]); // prettier-ignore
    expect(latency[0]!.p99Ms).toBe(700);
    expect(latency[1]!.p50Ms).toBeCloseTo(50.5);
  });

  it('are in a table a day, and given up by DROP', async () => {
    const desk = spec.desk({ retentionDays: 2 });
    for (const bucket of [TODAY, daysAgo(1), daysAgo(2)]) await spec.confirm(desk, `of ${bucket}`, { bucket });
    await spec.confirm(desk, 'too old', { bucket: daysAgo(3) });
    await spec.confirm(desk, 'strange', { bucket: "2030-05-10'; drop" });
    expect(await spec.buckets()).toEqual([daysAgo(2), daysAgo(1), TODAY].map(tableOf));
    await desk.dropExpired();
    expect(await spec.buckets()).toHaveLength(3);
    await spec.moveTo(DAY);
    await desk.dropExpired();
    expect(await spec.buckets()).toEqual([daysAgo(1), TODAY].map(tableOf));
    await spec.confirm(desk, 'late', { bucket: daysAgo(2) });
    expect(await spec.buckets()).toEqual([daysAgo(1), TODAY].map(tableOf)); // not made again
  });

  it('hold up nobody while a bucket that is to go is in use: the next run drops it', async () => {
    const desk = spec.desk({ retentionDays: 1 });
    await spec.confirm(desk, 'm');
    await spec.moveTo(2 * DAY);
    const reader = await spec.connect();
    await reader.query(`begin; select from ${spec.schema}.${tableOf(TODAY)}`);
    await expect(desk.dropExpired()).rejects.toMatchObject({ code: '55P03' });
    await reader.query('commit');
    reader.release();
    await desk.dropExpired();
    expect(await spec.buckets()).toEqual([]);
  });
});
