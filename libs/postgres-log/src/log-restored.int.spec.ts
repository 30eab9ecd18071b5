import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeOn, testMessage, until } from '@tidings/testing';
import { entryOf, SpecLog, Taken } from './spec-log.fixture';

/** The way out as docs/operations.md tells it. */
const RESET = /```sql\n(begin;[^`]*snap = '3:3:'[^`]*)```/.exec(
  readFileSync(join(__dirname, '../../../docs/operations.md'), 'utf8'),
)![1]!;

describeOn('postgres', 'a log that was restored into another cluster', (url) => {
  it('refuses to be read until its positions are reset; then delivers all of it once more, and what is new once', async () => {
    const spec = await SpecLog.open(url);
    const log = spec.log();
    const destination = await log.destination('main', 'gift.sent');
    const before = new Taken();
    const first = await spec.reader(log, destination, before.deliver);
    const ids = Array.from({ length: 20 }, (_, n) => `m${n}`);
    await log.appendAlone(ids.map((id) => entryOf(testMessage({ id, key: 'room-1' }), destination)));
    await until('all', () => before.ids.length === 20);
    await first.stop();

    // As a dump of a much older cluster has them: ids that this one will not reach for years.
    await spec.pool.query(`update ${spec.schema}.message set xid = '900000000000'`);
    await spec.pool.query(`update ${spec.schema}.cursor set snap = '900000000001:900000000001:'`);
    const refused = new Taken();
    await expect(spec.reader(spec.log(), destination, refused.deliver)).rejects.toMatchObject({
      code: 'TIDINGS_LOG_RESTORED',
    });

    await spec.pool.query(RESET.replaceAll('tidings.', `${spec.schema}.`));
    const after = new Taken();
    await spec.reader(spec.log(), destination, after.deliver);
    await until('all once more', () => after.ids.length === 20);
    await log.appendAlone([entryOf(testMessage({ id: 'new', key: 'room-1' }), destination)]);
    await until('the new one', () => after.ids.includes('new'));
    expect(refused.ids).toEqual([]);
    expect(after.ids).toEqual([...ids, 'new']);
    await spec.close();
  }, 30_000);
});
