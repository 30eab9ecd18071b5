import type { Store } from '@tidings/core';
import type { AttemptLedger, RedriveWorker } from '@tidings/dead-letter';
import type { BatchInboxStore, PostgresInbox } from '@tidings/inbox';
import type { CheckBack, MessageLog, Outbox, OutboxRelay, SubscriptionControls } from '@tidings/outbox';
import type { ParkedCount, ParkedKeys, ParksKeys, Release } from '@tidings/parked-keys';
import type { ReclaimScheduler } from '@tidings/reclaim';
import type { ApplicationDeadLetters } from './publishing/application-dead-letters';

/** Work beside the handlers. */
export interface BackgroundTask {
  start(): void | Promise<void>;
  stop(): Promise<void>;
}

/** Lets the parked keys of this process's subscriptions go on. */
export interface Releaser {
  start(): Promise<void>;
  stop(drainMs: number): Promise<void>;
}

/** What operators decide of subscriptions. */
export type ControlsOfStore = Pick<
  SubscriptionControls,
  'pause' | 'resume' | 'setConcurrency' | 'setKeyConcurrency' | 'list' | 'follow'
>;

/** What one store carries. */
export interface StorePatterns {
  readonly name: string;
  readonly store: Store;
  readonly log: Pick<MessageLog, 'backlog'>;
  /** What operators decided of subscriptions. */
  readonly controls: ControlsOfStore;
  readonly outbox: Outbox;
  readonly deadLetters: ApplicationDeadLetters;
  /** Works on redrive jobs. Undefined: there can be none. */
  readonly redriving: Pick<RedriveWorker, 'start' | 'stop'> | undefined;
  readonly inbox: Pick<PostgresInbox, 'once' | 'seal' | 'handled'>;
  readonly inboxBatch: BatchInboxStore;
  readonly parkedKeys: ParksKeys & Pick<ParkedKeys, 'resume'>;
  /** Of inbound keys, at the places that are open just then. */
  readonly releaserOf: (places: ReadonlyMap<string, Release>, open: (place: string) => boolean) => Releaser;
  /** Of keys that wait for a destination. Undefined: none does. */
  readonly outboundReleaserOf: ((releaseOf: (place: string) => Release | undefined) => Releaser) | undefined;
  readonly parkedKeysWatch: BackgroundTask & { readonly count: ParkedCount };
  readonly relay: Pick<OutboxRelay, 'start' | 'stop' | 'lanes' | 'failing'>;
  readonly upkeep: BackgroundTask;
  readonly checkBack: CheckBack;
  readonly reclaim: ReclaimScheduler;
  /** Of every process that handles or relays: check-back, reclaim. */
  readonly background: readonly Pick<CheckBack, 'start' | 'stop'>[];
  /** Undefined: nothing here outlives the process that a message kills. */
  readonly ledger: AttemptLedger | undefined;
  /** Resolves when the wake-ups under way have been sent. */
  readonly flush: () => Promise<void>;
}
