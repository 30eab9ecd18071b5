import { type Store, table } from '@tidings/core';

export interface Membership {
  /** Live processes that share this work, this one included. */
  readonly members: number;
  /** Until the first foreign lease or membership runs out; null when there is none. */
  readonly next_ms: number | null;
}

/** Says that this process is alive and counts who else is, so that lanes can be shared evenly. Members long gone are cleared away. */
export async function beatMember(store: Store, name: string, owner: string, leaseMs: number): Promise<Membership> {
  const member = table(store, 'member');
  const now = `${table(store, 'now')}()`;
  const { rows } = await store.query<{ members: number; next_ms: string | null }>({
    text: `with gone as (delete from ${member} where name = $1 and lease_until < ${now} - interval '1 minute'),
      beat as (
        insert into ${member} (name, owner, lease_until) values ($1, $2, ${now} + $3 * interval '1 ms')
        on conflict (name, owner) do update set lease_until = excluded.lease_until)
      select 1 + count(*)::int as members, extract(epoch from min(lease_until) - ${now}) * 1000 as next_ms
        from ${member} where name = $1 and owner <> $2 and lease_until >= ${now}`,
    values: [name, owner, leaseMs],
  });
  const [row] = rows;
  return { members: row!.members, next_ms: row!.next_ms === null ? null : Number(row!.next_ms) };
}
