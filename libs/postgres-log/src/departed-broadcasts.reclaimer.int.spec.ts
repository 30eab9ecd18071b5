import { randomUUID } from 'node:crypto';
import { quoted, type Store } from '@tidings/core';
import { describeOn } from '@tidings/testing';
import { DepartedBroadcastsReclaimer } from './departed-broadcasts.reclaimer';
import type { MessageLog } from './message-log';
import { SpecLog } from './spec-log.fixture';

describeOn('postgres', 'the Reclaimer of departed broadcasts', (url) => {
  let spec: SpecLog;
  let log: MessageLog;
  let store: Store;

  beforeEach(async () => {
    spec = await SpecLog.open(url);
    log = spec.log();
    store = log.store;
  });
  afterEach(() => spec.close());

  const query = (text: string, values: unknown[] = []) =>
    spec.pool.query<{ name: string }>(text.replaceAll('$S', quoted(spec.schema)), values);
  const reclaimed = async (): Promise<number> => (await new DepartedBroadcastsReclaimer(store).reclaim()).reclaimed;
  /** As PostgresSubscription has it: a destination of its own, readers there and on the topic, a membership. */
  const join = async (name: string): Promise<string> => {
    for (const destination of [await log.destination('log', 't', name), await log.destination('log', 't')])
      await log.reader(name, destination, 'earliest');
    await renew(name);
    return name;
  };
  const renew = (name: string) =>
    query(
      `insert into $S.member values ($1, 'o', $S.now() + interval '10 minutes') on conflict (name, owner) do update set lease_until = excluded.lease_until`,
      [name],
    );
  const die = (name: string) => query('delete from $S.member where name = $1', [name]);
  /** Time goes by for what the tables remember; memberships are renewed meanwhile. */
  const pass = (minutes: number) =>
    query(`update $S.destination set created_at = created_at - $1 * interval '1 minute', orphaned_at = orphaned_at - $1 * interval '1 minute'`, [minutes]); // prettier-ignore
  const names = async (table: string, column = 'name'): Promise<string[]> =>
    (await query(`select distinct ${column} as name from $S.${table} where ${column} <> '' order by 1`)).rows.map(
      ({ name }) => name,
    );
  const broadcast = () => `rooms#${randomUUID()}`;

  it('forgets a process an hour after it was found gone: destination, readers, cursors; never a living one, nor a group', async () => {
    const [dead, living, group] = [await join(broadcast()), await join(broadcast()), await join('group#1')];
    await die(dead);
    await die(group);
    await pass(10);
    expect(await reclaimed()).toBe(0);
    await pass(59);
    expect(await reclaimed()).toBe(0);
    await pass(2);
    expect(await reclaimed()).toBe(1);
    expect(await names('destination', 'audience')).toEqual([group, living].sort());
    expect(await names('reader')).toEqual([group, living].sort());
    expect((await query('select from $S.cursor c where not exists (select from $S.reader r where r.id = c.reader)')).rowCount).toBe(0); // prettier-ignore
  });

  it('begins anew for a process that lives again, as all do after an outage of the database', async () => {
    const name = await join(broadcast());
    await die(name);
    await pass(10);
    await reclaimed();
    await renew(name);
    await pass(120);
    expect(await reclaimed()).toBe(0);
    await die(name);
    expect(await reclaimed()).toBe(0);
    expect(await names('reader')).toEqual([name]);
  });

  it('lets a process that has just begun have its minute', async () => {
    const name = await join(broadcast());
    await die(name);
    await reclaimed();
    await pass(0.5);
    await query(`update $S.destination set orphaned_at = $S.now() - interval '2 hours' where orphaned_at is not null`);
    expect(await reclaimed()).toBe(0);
    expect(await names('reader')).toEqual([name]);
  });

  it('frees the log of what was addressed to the departed', async () => {
    const name = await join(broadcast());
    const unheard = `select d.id::text as name from $S.destination d where not exists (select from $S.reader r where r.destination = d.id)`;
    await query('delete from $S.cursor where reader in (select id from $S.reader where name = $1)', [name]);
    await query('delete from $S.reader where name = $1', [name]); // an orderly stop
    await die(name);
    await log.reader('other', await log.destination('log', 't'), 'earliest');
    expect((await query(unheard)).rowCount).toBe(1);
    await pass(10);
    await reclaimed();
    await pass(61);
    expect(await reclaimed()).toBe(1);
    expect((await query(unheard)).rowCount).toBe(0);
  });

  it('is safe beside another that does the same', async () => {
    for (let n = 0; n < 5; n++) await die(await join(broadcast()));
    await pass(10);
    await reclaimed();
    await pass(61);
    const [one, other] = await Promise.all([reclaimed(), reclaimed()]);
    expect(one + other).toBe(5);
  });
});
