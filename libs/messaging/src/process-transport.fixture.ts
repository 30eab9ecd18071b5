import type { Store } from '@tidings/core';
import { postgres } from '@tidings/postgres';
import { rabbitmq } from '@tidings/rabbitmq';

/** Where a process of a scene works: it gets this with its orders. */
export interface ProcessPlace {
  readonly url: string;
  /** Begins the names at RabbitMQ, too. */
  readonly schema: string;
  /** Undefined: the PostgreSQL transport. */
  readonly rabbit?: string;
}

/** The same in all processes of a scene; a dead one is found out soon. */
export const transportOf = ({ rabbit, schema }: Omit<ProcessPlace, 'url'>, store: Store) =>
  rabbit === undefined
    ? postgres({ store, leaseMs: 1_000, pollMs: 200 })
    : rabbitmq({ urls: rabbit, prefix: schema, orderedQueues: 4 });
