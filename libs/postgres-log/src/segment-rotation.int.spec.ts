import { silentLogger, systemClock } from '@tidings/core';
import { describeOn, testMessage, until } from '@tidings/testing';
import type { MessageLog } from './message-log';
import { SegmentRotation } from './segment-rotation';
import { entryOf, SpecLog, Taken } from './spec-log.fixture';

describeOn('postgres', 'rotating the segments', (url) => {
  let spec: SpecLog;
  let log: MessageLog;
  let destination: number;
  let taken: Taken;
  let rotation: SegmentRotation;

  beforeEach(async () => {
    spec = await SpecLog.open(url);
    log = spec.log();
    destination = await log.destination('main', 'gift.sent');
    taken = new Taken();
    rotation = new SegmentRotation(log.store, { logger: silentLogger }, { afterMs: 0, archiveMs: 0 });
  });
  afterEach(() => spec.close());

  const append = (id: string, over: Parameters<typeof entryOf>[2] = {}): Promise<void> =>
    log.appendAlone([entryOf(testMessage({ id }), destination, over)]);
  const rowsIn = async (segment: number): Promise<number> =>
    (await spec.pool.query(`select 1 from ${spec.schema}.message_${segment}`)).rowCount ?? 0;
  const turn = async (outcome: string): Promise<void> => {
    let last = '';
    await until(`a turn that is ${outcome}, not ${last}`, async () => (last = await rotation.runOnce()) === outcome);
  };

  it('empties what is delivered, a whole turn later; nothing is lost while writers go on', async () => {
    await spec.reader(log, destination, taken.deliver);
    const ids: string[] = [];
    for (let n = 0; n < 9; n++) {
      ids.push(`m${n}`);
      await append(`m${n}`);
      await until('it', () => taken.ids.length === ids.length);
      await turn('rotated');
    }
    expect(taken.ids).toEqual(ids);
    expect((await rowsIn(0)) + (await rowsIn(1)) + (await rowsIn(2))).toBe(2); // a turn's archive
  });

  it('a segment with an undelivered row is not emptied, whoever reads late', async () => {
    await log.reader('slow', destination, 'now');
    await append('a');
    await turn('rotated'); // to 1
    await turn('rotated'); // to 2
    expect(await rotation.runOnce()).toBe('unread'); // 0 is next, and holds a
    await spec.reader(log, destination, taken.deliver, { name: 'slow' });
    await until('a', () => taken.ids.includes('a'));
    await turn('rotated');
    expect(await rowsIn(0)).toBe(0);
  });

  it('a row that nobody reads is kept, unless it was published as optional', async () => {
    await append('optional', { optional: true });
    await turn('rotated');
    await turn('rotated');
    expect(await rotation.runOnce()).toBe('rotated'); // 0 is emptied: nobody need hear it
    await append('required');
    await turn('rotated');
    await turn('rotated');
    expect(await rotation.runOnce()).toBe('unheard');
  });

  it('a transaction that commits long after the switch: locked, unread, delivered, rotated', async () => {
    await spec.reader(log, destination, taken.deliver);
    const late = await spec.pool.connect();
    await late.query('begin');
    await log.append(log.store.join(late), [entryOf(testMessage({ id: 'late' }), destination)]);
    await turn('rotated');
    await turn('rotated');
    expect(await rotation.runOnce()).toBe('locked');
    await late.query('commit');
    late.release();
    await until('the late one', () => taken.ids.includes('late'));
    await turn('rotated');
  });

  it('a repeatable-read writer with a snapshot from before the TRUNCATE writes to the emptied segment, and is read', async () => {
    await spec.reader(log, destination, taken.deliver);
    const straggler = await spec.pool.connect();
    await straggler.query('begin isolation level repeatable read');
    await straggler.query(`select segment from ${spec.schema}.control`); // takes the snapshot: segment 0
    for (let n = 0; n < 3; n++) await turn('rotated');
    await log.append(log.store.join(straggler), [entryOf(testMessage({ id: 'straggler' }), destination)]);
    await straggler.query('commit');
    straggler.release();
    await until('the straggler', () => taken.ids.includes('straggler'));
  });

  it('a reader that holds the table open (as pg_dump does) stops the turn and no writer', async () => {
    await spec.reader(log, destination, taken.deliver);
    const dump = await spec.pool.connect();
    await dump.query(
      `begin isolation level repeatable read; lock table ${spec.schema}.message in access share mode; select 1`,
    );
    const started = systemClock.monotonic();
    expect(await rotation.runOnce()).toBe('locked');
    await append('meanwhile');
    expect(systemClock.monotonic() - started).toBeLessThan(1_000);
    await dump.query('commit');
    dump.release();
    await turn('rotated');
  });

  it('a young segment and the archive window are left alone', async () => {
    const tools = { logger: silentLogger };
    expect(await new SegmentRotation(log.store, tools).runOnce()).toBe('young');
    expect(await new SegmentRotation(log.store, tools, { fullBytes: 1 }).runOnce()).toBe('rotated');
    const archiving = new SegmentRotation(log.store, tools, { afterMs: 0, archiveMs: 60_000 });
    expect(await archiving.runOnce()).toBe('rotated');
    expect(await archiving.runOnce()).toBe('archived'); // segment 0 was left just now
    await spec.pool.query(
      `create or replace function ${spec.schema}.now() returns timestamptz language sql volatile as 'select clock_timestamp() + interval ''2 minutes'''`,
    );
    expect(await archiving.runOnce()).toBe('rotated');
  });
});
