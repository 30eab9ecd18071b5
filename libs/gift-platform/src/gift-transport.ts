import type { Store, TidingsLogger, Transport } from '@tidings/core';
import { postgres } from '@tidings/postgres';
import { rabbitmq } from '@tidings/rabbitmq';
import type { PlatformConfig } from './platform-config';

/** The transport that the configuration names: an app's own code is the same on each. */
export function giftTransport(config: PlatformConfig, store: Store, logger: TidingsLogger): Transport {
  switch (config.transport.kind) {
    case 'postgres':
      return postgres({ store, logger, ...(config.leaseMs !== undefined && { leaseMs: config.leaseMs }) });
    case 'rabbitmq':
      return rabbitmq({ urls: [config.transport.url], prefix: config.transport.prefix, logger });
  }
}
