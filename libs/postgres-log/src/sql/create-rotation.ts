import type { Migration } from '@tidings/core';
import { SEGMENTS } from './create-log';

/**
 * `rotate`: empties the segment after the current one and lets writers go there; the one they leave stays as archive. Answers `rotated`, or why not:
 *
 * - `young`: the current segment may take more, by time and size.
 * - `archived`: the next segment was left too short a time ago.
 * - `locked`: somebody has an uncommitted row there, or an open transaction that has read it (pg_dump).
 * - `unread`: a reader is not past some row of it. `unheard`: a row there has no reader at all, and was not published as optional.
 *
 * The exclusive lock is the proof that nobody has an uncommitted row in the segment; the checks under it, that no committed row is still wanted.
 * Waiting for the transaction ids of the time of the switch instead (as PgQ does) proves nothing here: a repeatable-read writer picks its segment
 * by its old snapshot and inserts with an xid above the switch's. Such a straggler's row, even one that lands after the TRUNCATE, is read like any
 * other, for windows know transaction ids and not segments. Writers never wait: they use another segment, and the lock is given up after 50 ms,
 * because a waiting ACCESS EXCLUSIVE would block every reader behind it.
 */
export const createRotation: Migration = {
  id: 'postgres-log/0002-create-rotation',
  up: (s) => `
    create function ${s}.rotate(after interval, full_bytes bigint, archive interval) returns text language plpgsql as $rotate$
    declare
      c ${s}.control;
      next int;
      unread boolean;
      unheard boolean;
    begin
      select * into c from ${s}.control for update skip locked;
      if not found then return 'locked'; end if;
      if c.switched_at + after > ${s}.now()
        and pg_total_relation_size(format('%s.message_%s', '${s}', c.segment)::regclass) < full_bytes then return 'young'; end if;
      next := (c.segment + 1) % ${SEGMENTS};
      if c.left_at[next + 1] + archive > ${s}.now() then return 'archived'; end if;
      begin
        perform set_config('lock_timeout', '50ms', true);
        execute format('lock table only ${s}.message_%s in access exclusive mode', next);
      exception when lock_not_available then return 'locked';
      end;
      perform set_config('lock_timeout', '0', true);
      execute format('select exists (
        select from ${s}.cursor c join ${s}.reader r on r.id = c.reader, lateral (
          (select 1 from ${s}.message_%1$s m where m.destination = r.destination and m.lane = c.lane
             and m.xid >= pg_snapshot_xmax(c.snap) limit 1)
          union all
          (select 1 from pg_snapshot_xip(c.snap) x, lateral (
             select 1 from ${s}.message_%1$s m where m.destination = r.destination and m.lane = c.lane and m.xid = x limit 1) late
           limit 1)) u)', next) into unread;
      if unread then return 'unread'; end if;
      execute format('select exists (
        select from ${s}.destination d, generate_series(0, 63) lane, lateral (
          select 1 from ${s}.message_%1$s m where m.destination = d.id and m.lane = lane and not m.optional limit 1) u
         where not exists (select from ${s}.reader r where r.destination = d.id))', next) into unheard;
      if unheard then return 'unheard'; end if;
      execute format('truncate only ${s}.message_%s', next);
      update ${s}.control set segment = next, switched_at = ${s}.now(), left_at[c.segment + 1] = ${s}.now();
      return 'rotated';
    end $rotate$;`,
};
