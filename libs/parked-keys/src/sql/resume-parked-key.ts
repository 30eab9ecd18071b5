import { type Message, type Store, table } from '@tidings/core';
import { digestOf, identityOf, originOf, type ParkedPlace } from '../parked-identity';
import { columnsOf } from '../parked-message';
import { parkedChannel } from '../parked-channel';

/** `again` undefined: the head is left out. */
export async function resumeParkedKey(
  store: Store,
  place: ParkedPlace,
  head: Message & { readonly key: string },
  again: { readonly message: Message } | undefined,
): Promise<'resumed' | 'not-parked'> {
  const { rows } = await store.query<{ outcome: 'resumed' | 'not-parked' }>({
    text: `select ${table(store, 'resume_parked_key')}($1::bytea, $2, $3::bytea, $4::bytea, $5::bytea, $6::bytea, $7::bigint, $8,
      $9::bytea, $10::bytea, $11::bytea) as outcome`,
    values: [
      identityOf(place, head.key),
      parkedChannel(store),
      digestOf(head),
      originOf(head),
      ...(again ? columnsOf(again) : [null, null, null, null, null, null, null]),
    ],
  });
  return rows[0]!.outcome;
}
