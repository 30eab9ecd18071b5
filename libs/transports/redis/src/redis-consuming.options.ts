import { z } from 'zod';
import { connectionShape, ms, type RedisConnectionOptions } from './redis-connection.options';

/** What the transports need beside that whose groups keep what is not handled yet. */
export interface RedisConsumingOptions extends RedisConnectionOptions {
  /**
   * The name of this process's consumers, the same after each restart and different from every other process's, as a pod's of a StatefulSet: then
   * what it had taken when it died is its own again at once. Default: a new name for each start; reclaim takes back what the one before it held.
   */
  readonly consumer?: string;
  /** A consumer that was not heard of for so long is dead: its leases are free, what it holds may be reclaimed. Default 15,000. */
  readonly leaseMs?: number;
  /** How often this process reclaims and trims. Default 300,000. */
  readonly reclaimEveryMs?: number;
  /** A message in whose handling so many processes died is a dead letter. Default 5. */
  readonly poisonAfter?: number;
  /** How often delayed messages are looked at; so late one may be. Default 100. */
  readonly delayPollMs?: number;
  /** Replicas that must have a message before it is confirmed (WAIT). Lowers the risk of asynchronous replication, does not end it. Default 0. */
  readonly replicas?: number;
}

/** Part of their schemas. */
export const consumingShape = {
  ...connectionShape,
  consumer: z
    .string()
    .regex(/^[\w.:-]{1,128}$/, 'expected up to 128 letters, digits, . : - and _')
    .optional(),
  leaseMs: z.int().min(500).max(600_000).default(15_000),
  reclaimEveryMs: ms(300_000),
  poisonAfter: z.int().min(1).default(5),
  delayPollMs: z.int().min(1).max(60_000).default(100),
  replicas: z.int().min(0).default(0),
};

export type ConsumingSettings = z.output<z.ZodObject<typeof consumingShape>>;
