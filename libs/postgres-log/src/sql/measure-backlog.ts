import { type Store, table } from '@tidings/core';

export interface Backlog {
  /** `relay`, or the group. */
  readonly reader: string;
  readonly transport: string;
  readonly topic: string;
  /** Messages not yet passed, counted up to the limit. */
  readonly messages: number;
}

/**
 * What each reader has not passed yet, of all topics or of these, counted no further than `limit` a reader: a backlog of a million costs no more than the
 * limit.
 */
export async function measureBacklog(store: Store, limit: number, topics?: readonly string[]): Promise<Backlog[]> {
  const { rows } = await store.query<Backlog>({
    text: `select r.name as reader, d.transport, d.topic, b.messages::int as messages
      from ${table(store, 'reader')} r join ${table(store, 'destination')} d on d.id = r.destination, lateral (
        select count(*) as messages from (
          select 1 from ${table(store, 'cursor')} c, lateral (
            select 1 from ${table(store, 'message')} m
             where m.destination = r.destination and m.lane = c.lane and m.xid >= pg_snapshot_xmax(c.snap)
               and m.seq > coalesce(c.progress, 0) limit $1) unread
           where c.reader = r.id limit $1) bounded) b
      where d.audience = '' and ($2::text[] is null or d.topic = any($2)) order by r.name, d.transport, d.topic`,
    values: [limit, topics ?? null],
  });
  return rows;
}
