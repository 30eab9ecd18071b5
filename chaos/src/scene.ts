import { isBroker, type TransportName } from '@tidings/brokers';
import { defineMessage } from '@tidings/core';
import { z } from 'zod';
import type { Sabotage } from './chaos.options';
import type { GroupUnderTest } from './evidence';

/** The one contract of a run: enough in it to see a swap, a loss and a changed content. */
export const Moved = defineMessage('chaos.moved', {
  schema: z.object({ key: z.string(), counter: z.number() }),
  key: ({ key }) => key,
});

export const LEDGER = 'ledger';
export const AUDIT = 'audit';
export const GROUPS: readonly GroupUnderTest[] = [
  { name: LEDGER, ordered: true },
  { name: AUDIT, ordered: false },
];

/** Few enough that senders wait for each other's row locks, more than the lanes that one consumer works at. */
export const KEYS = Array.from({ length: 12 }, (_, index) => `k${index}`);

/** Far shorter than in production, so that take-overs fall into a short run; SIGSTOP lasts longer. */
export const LEASE_MS = 1_500;

/** A failed handler's waits, all of them: 100, 200, then always the last. Steps of the RabbitMQ transport's delays. */
export const RETRY_MS = [100, 200, 400] as const;

/** From the environment, for decorators are evaluated before any orders come. */
export const isSabotaged = (sabotage: Sabotage): boolean => process.env['CHAOS_SABOTAGE'] === sabotage;

export type Role = 'sender' | 'relay' | 'ledger' | 'audit';

/** What a process is started with. */
export interface ProcessOrders {
  readonly name: string;
  readonly role: Role;
  /** How often it was started before. */
  readonly incarnation: number;
  readonly seed: number;
  readonly transport: TransportName;
  readonly postgresUrl: string;
  /** Empty on PostgreSQL. */
  readonly brokerUrl: string;
  readonly prefix: string;
  readonly folder: string;
}

/** Two of each that can be two. On PostgreSQL consumers read the outbox's log themselves, and there is no relay (ADR 3). */
export function processesOf(transport: TransportName): { readonly name: string; readonly role: Role }[] {
  const relays = [0, 1].map((n) => ({ name: `relay-${n}`, role: 'relay' as const }));
  return [
    { name: 'ledger-0', role: 'ledger' },
    { name: 'ledger-1', role: 'ledger' },
    { name: 'audit-0', role: 'audit' },
    ...(isBroker(transport) ? relays : []),
    { name: 'sender-0', role: 'sender' },
    { name: 'sender-1', role: 'sender' },
  ];
}
