import { BROKERS, type TransportName } from '@tidings/brokers';
import type { Store, TidingsLogger, Transport } from '@tidings/core';
import { postgres } from '@tidings/postgres';

/** The transport of a configuration; an address and a prefix where there is a broker. */
export type TransportPlace =
  | { readonly kind: 'postgres' }
  | { readonly kind: Exclude<TransportName, 'postgres'>; readonly url: string; readonly prefix: string };

/** The transport that the configuration names: an app's own code is the same on each. */
export async function giftTransport(
  place: TransportPlace,
  store: Store,
  options: { readonly logger?: TidingsLogger; readonly leaseMs?: number | undefined; readonly atMostOnce?: boolean },
): Promise<Transport> {
  const { logger, leaseMs, atMostOnce = false } = options;
  if (place.kind === 'postgres')
    return postgres({ store, ...(logger && { logger }), ...(leaseMs !== undefined && { leaseMs }) });
  const { kind, url, prefix } = place;
  return BROKERS[kind].open({ url, prefix, ...(logger && { logger }), impatient: leaseMs !== undefined, atMostOnce });
}
