import { type Store, table } from '@tidings/core';
import { identityOf, type ParkedPlace } from '../parked-identity';
import { parkedNotice, parkedChannel } from '../parked-channel';
import { columnsOf, type ParkedMessage } from '../parked-message';

export type Followed = 'free' | 'parked' | 'head' | 'full';

/**
 * In the order given, one transaction for all. A redriven message may have taken its dead head's place: releasers are told. Messages without a key are nobody's followers: the caller leaves them out.
 */
export async function followParkedKeys(
  store: Store,
  place: ParkedPlace,
  messages: readonly ParkedMessage[],
  maxFollowers: number,
): Promise<readonly Followed[]> {
  const columns = messages.map((one) => [identityOf(place, one.message.key!), ...columnsOf(one)]);
  const column = (index: number): unknown[] => columns.map((row) => row[index]);
  const { rows } = await store.query<{ outcome: Followed }>({
    text: `select ${table(store, 'follow_parked_key')}(k, $1::bigint, digest, origin, generation, id, envelope, payload, passage) as outcome,
        case when generation > 0 then pg_notify($10, $11) end as told
      from (select * from unnest($2::bytea[], $3::bytea[], $4::bytea[], $5::bigint[], $6::text[], $7::bytea[], $8::bytea[], $9::bytea[])
        with ordinality m(k, digest, origin, generation, id, envelope, payload, passage, n) order by n) ordered`,
    values: [
      maxFollowers,
      ...[0, 1, 2, 3, 4, 5, 6, 7].map(column),
      parkedChannel(store),
      parkedNotice(place.direction, 0),
    ],
  });
  return rows.map(({ outcome }) => outcome);
}
