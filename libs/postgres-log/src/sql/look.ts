import { type Store, table } from '@tidings/core';
import type { Held } from '../held-lane';
import { prepared } from '../prepared-statement';

/** What a process asks with one look at a log, for all of its readers. */
export interface LookQuestion {
  readonly members: readonly { readonly name: string; readonly owner: string; readonly leaseMs: number }[];
  /** Leases to be renewed. */
  readonly renew: readonly (Held & { readonly leaseMs: number })[];
  /** Lanes of which nothing is known to be there. */
  readonly idle: readonly {
    readonly reader: number;
    readonly destination: number;
    readonly lane: number;
    readonly snap: string;
    readonly incarnation: string;
  }[];
  /** Readers that could take lanes. */
  readonly readers: readonly number[];
  /** Transports whose destinations are to be counted. */
  readonly transports: readonly string[];
  /** Undefined: it is not the time to think of another segment. */
  readonly rotation: { readonly afterMs: number; readonly fullBytes: number; readonly archiveMs: number } | undefined;
}

export interface Look {
  /** The statement's own snapshot. */
  readonly target: string;
  /** By member of the question: live processes of that name, this one included. */
  readonly members: readonly number[];
  /** By member: until the first foreign lease or membership runs out; null when there is none. */
  readonly nextMs: readonly (number | null)[];
  /** Renewed: reader, lane, where the row is now. */
  readonly kept: readonly (readonly [number, number, string])[];
  /** Idle lanes with something new: reader, lane. */
  readonly news: readonly (readonly [number, number])[];
  /** Readers of the question that have lanes to take. */
  readonly free: readonly number[];
  /** Readers of the question that are no longer registered. */
  readonly gone: readonly number[];
  /** By transport of the question. */
  readonly destinations: readonly number[];
  /** Until the next message for later is due; null when none waits. */
  readonly dueMs: number | null;
  /** Memberships to be cleared away. */
  readonly departed: boolean;
  /** The next segment may be free. */
  readonly turn: boolean;
  /** Grows with each change of a subscription's control. */
  readonly controls: string;
}

/**
 * Everything that a process does every few seconds when nothing happens, in one statement: says that it lives, renews its leases, and asks what
 * there is to do. Whatever there is, is done by a statement of its own.
 *
 * It does not wait for the disk: a crash that takes back a renewal makes all leases void anyhow (create-incarnation.ts).
 * It waits for no other process either: it writes this process's own member rows, and cursors of epochs that only this process has. So dead members are
 * cleared away elsewhere: two processes that wake from a long sleep would each delete the row that the other one is writing. Lanes of another
 * incarnation are not renewed, and have no news.
 */
export async function look(store: Store, question: LookQuestion): Promise<Look> {
  const { members, renew, idle, readers, transports, rotation } = question;
  const now = `${table(store, 'now')}()`;
  const message = table(store, 'message');
  const member = table(store, 'member');
  const cursor = table(store, 'cursor');
  const incarnation = table(store, 'incarnation');
  const others = `from ${member} o where o.name = m.name and o.owner <> m.owner and o.lease_until >= ${now}`;
  const there = `m.destination = i.destination and m.lane = i.lane`;
  const { rows } = await store.query<{ [Name in keyof Look]: Look[Name] | null }>(
    prepared(
      store,
      'look',
      `with me as materialized (select * from unnest($1::text[], $2::text[], $3::float8[]) with ordinality m(name, owner, lease_ms, n)),
       beat as (
         insert into ${member} (name, owner, lease_until) select name, owner, ${now} + lease_ms * interval '1 ms' from me
         on conflict (name, owner) do update set lease_until = excluded.lease_until),
       renewed as (
         update ${cursor} c set lease_until = ${now} + h.lease_ms * interval '1 ms'
           from ${incarnation} s, unnest($4::int[], $5::smallint[], $6::bigint[], $7::float8[], $18::uuid[]) h(reader, lane, epoch, lease_ms, incarnation)
          where s.one and s.id = h.incarnation and c.reader = h.reader and c.lane = h.lane and c.epoch = h.epoch and c.lease_until > '-infinity'
         returning c.reader, c.lane, c.ctid::text as tid)
       select pg_current_snapshot()::text as target, set_config('synchronous_commit', 'off', true) as hasty,
         (select array_agg((select 1 + count(*)::int ${others}) order by m.n) from me m) as members,
         (select array_agg((select extract(epoch from min(o.lease_until) - ${now})::float8 * 1000 ${others}) order by m.n) from me m) as "nextMs",
         (select json_agg(json_build_array(reader, lane, tid)) from renewed) as kept,
         (select json_agg(json_build_array(i.reader, i.lane))
            from unnest($8::int[], $9::int[], $10::smallint[], $11::pg_snapshot[], $19::uuid[]) i(reader, destination, lane, snap, incarnation)
            join ${incarnation} s on s.one and s.id = i.incarnation, lateral (
              (select 1 from ${message} m where ${there} and m.xid >= pg_snapshot_xmax(i.snap) limit 1)
              union all
              (select 1 from pg_snapshot_xip(i.snap) x, lateral (
                select 1 from ${message} m where ${there} and m.xid = x limit 1) late limit 1)
              limit 1) something) as news,
         (select array_agg(distinct c.reader) from ${cursor} c
           where c.reader = any($12::int[]) and c.lease_until < ${now}
             and not exists (select from renewed r where r.reader = c.reader and r.lane = c.lane)) as free,
         (select array_agg(asked.id) from unnest($12::int[]) asked(id)
           where not exists (select from ${table(store, 'reader')} r where r.id = asked.id)) as gone,
         (select array_agg((select count(*)::int from ${table(store, 'destination')} d where d.transport = t.name) order by t.n)
            from unnest($13::text[]) with ordinality t(name, n)) as destinations,
         (select extract(epoch from min(due_at) - ${now})::float8 * 1000 from ${table(store, 'due')}) as "dueMs",
         exists (select from ${member} where lease_until < ${now} - interval '1 minute') as departed,
         (select (c.switched_at + $14 * interval '1 ms' <= ${now}
                  or pg_total_relation_size(format('%I.message_%s', $15::text, c.segment)::regclass) >= $16)
             and c.left_at[(c.segment + 1) % cardinality(c.left_at) + 1] + $17 * interval '1 ms' <= ${now}
            from ${table(store, 'control')} c where $14::float8 is not null) as turn,
         (select coalesce(sum(changes), 0)::text from ${table(store, 'subscription_control')}) as controls`,
      [
        members.map(({ name }) => name),
        members.map(({ owner }) => owner),
        members.map(({ leaseMs }) => leaseMs),
        renew.map(({ reader }) => reader),
        renew.map(({ lane }) => lane),
        renew.map(({ epoch }) => epoch),
        renew.map(({ leaseMs }) => leaseMs),
        idle.map(({ reader }) => reader),
        idle.map(({ destination }) => destination),
        idle.map(({ lane }) => lane),
        idle.map(({ snap }) => snap),
        readers,
        transports,
        rotation?.afterMs ?? null,
        store.schema,
        rotation?.fullBytes ?? null,
        rotation?.archiveMs ?? null,
        renew.map(({ incarnation }) => incarnation),
        idle.map(({ incarnation }) => incarnation),
      ],
    ),
  );
  const row = rows[0]!;
  return {
    target: row.target!,
    members: row.members ?? [],
    nextMs: row.nextMs ?? [],
    kept: row.kept ?? [],
    news: row.news ?? [],
    free: row.free ?? [],
    gone: row.gone ?? [],
    destinations: row.destinations ?? [],
    dueMs: row.dueMs,
    departed: row.departed === true,
    turn: row.turn === true,
    controls: row.controls!,
  };
}
