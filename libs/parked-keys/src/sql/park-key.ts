import { type Store, table } from '@tidings/core';
import { identityOf, type ParkedPlace, storable } from '../parked-identity';
import { parkedNotice, parkedChannel } from '../parked-channel';
import { columnsOf, type ParkedMessage } from '../parked-message';
import type { CheckedParkedKeysOptions } from '../parked-keys.options';

/** Why and until when a head waits; without `delayMs` it is dead, and waits for a person. */
export interface HeadFailure {
  readonly delayMs?: number;
  /** Failed so far. */
  readonly attempts: number;
  readonly reason: string;
}

export async function parkKey(
  store: Store,
  place: ParkedPlace,
  head: ParkedMessage & { readonly message: { readonly key: string } },
  { delayMs, attempts, reason }: HeadFailure,
  { maxKeys, maxFollowers }: CheckedParkedKeysOptions,
): Promise<'parked' | 'full'> {
  const { key } = head.message;
  const { rows } = await store.query<{ outcome: 'parked' | 'full' }>({
    text: `with parking as materialized (
        select ${table(store, 'park_key')}($1::bytea, $2, $3, $4, $5, $6::float8, $7::bigint, $8, $9::bigint, $10::bigint,
          $11::bytea, $12::bytea, $13::bigint, $14, $15::bytea, $16::bytea, $17::bytea) as outcome)
      select outcome, case when outcome = 'parked' then pg_notify($18, $19) end as told from parking`,
    values: [
      identityOf(place, key),
      place.direction,
      storable(place.place),
      storable(key),
      delayMs === undefined ? 'dead' : 'waiting',
      delayMs ?? null,
      attempts,
      storable(reason),
      maxKeys,
      maxFollowers,
      ...columnsOf(head),
      parkedChannel(store),
      parkedNotice(place.direction, delayMs),
    ],
  });
  return rows[0]!.outcome;
}
