import type { Clock, MessageFactory, Store, TidingsLogger } from '@tidings/core';
import { DeadLetterReclaimer, postgresAttempts } from '@tidings/dead-letter';
import { inboxUpkeep, PostgresInbox, PostgresInboxBatch } from '@tidings/inbox';
import { CheckBack, DepartedBroadcastsReclaimer, logOf, Outbox, OutboxRelay, SubscriptionControls } from '@tidings/outbox'; // prettier-ignore
import { KeyReleaser, ParkedDestinations, ParkedKeys, ParkedKeysWatch, type Release } from '@tidings/parked-keys';
import { ReclaimScheduler } from '@tidings/reclaim';
import type { HandlerDirectory } from './handling/handler-directory';
import type { CheckedMessagingOptions } from './messaging.options';
import { ApplicationDeadLetters } from './publishing/application-dead-letters';
import type { ContractRouter } from './publishing/contract-router';
import type { TransportRegistry } from './publishing/transport-registry';
import type { StorePatterns } from './store-patterns';

export interface DatabasePatternsParts {
  readonly name: string;
  readonly store: Store;
  readonly factory: MessageFactory;
  readonly options: CheckedMessagingOptions;
  readonly clock: Clock;
  readonly logger: TidingsLogger;
  readonly instance: string;
  readonly transports: TransportRegistry;
  readonly router: ContractRouter;
  readonly handlers: HandlerDirectory;
}

/** The patterns of a store in a database, put together, and nothing started. */
export function databasePatterns(parts: DatabasePatternsParts): StorePatterns {
  const { name, store, factory, options, clock, logger, instance, router, handlers } = parts;
  const { transports, relay, parking, checkBack: checkBackOptions } = options;
  const { reclaimers, ...reclaimOptions } = options.reclaim;
  const log = logOf(store, clock, logger);
  const inbox = new PostgresInbox(store, options.inbox);
  const parkedKeys = new ParkedKeys(store, parking);
  const deadLetters = new ApplicationDeadLetters({
    store,
    inbox,
    keyParking: parkedKeys,
    transports: parts.transports,
    handlers,
    clock,
    logger,
  });
  const outbox = new Outbox({ log, factory, routes: router.destinationsOf, transports, checkBack: checkBackOptions });
  const asks = { store, prepared: outbox.prepared, deadLetters, options: checkBackOptions, instance, clock, logger };
  const checkBack = new CheckBack(asks);
  const all = [
    checkBack,
    new DeadLetterReclaimer(store, options.deadLetters),
    new DepartedBroadcastsReclaimer(store),
    ...reclaimers,
  ];
  const reclaim = new ReclaimScheduler({ store, reclaimers: all, options: reclaimOptions, instance, clock, logger });
  return {
    name,
    store,
    log,
    controls: new SubscriptionControls(log),
    flush: () => log.signals.flush(),
    outbox,
    checkBack,
    reclaim,
    background: [checkBack, reclaim],
    deadLetters,
    redriving: deadLetters.redriveWorker,
    ledger: postgresAttempts(store),
    inbox,
    parkedKeys,
    outboundReleaserOf: (releaseOf) => {
      const places = async (): Promise<ReadonlyMap<string, Release>> =>
        new Map(
          (await parkedKeys.places('outbound')).flatMap((place) => {
            const release = releaseOf(place);
            return release ? [[place, release] as const] : [];
          }),
        );
      return new KeyReleaser({ parkedKeys, direction: 'outbound', places, instance, clock, logger });
    },
    releaserOf: (places, open) =>
      new KeyReleaser({ parkedKeys, direction: 'inbound', places: () => places, open, instance, clock, logger }),
    parkedKeysWatch: new ParkedKeysWatch(parkedKeys, clock, logger),
    inboxBatch: new PostgresInboxBatch(store, inbox.buckets, options.inbox),
    relay: new OutboxRelay({
      log,
      transports,
      deadLetters,
      parking: new ParkedDestinations(parkedKeys),
      instance,
      clock,
      logger,
      ...(relay && { options: relay }),
    }),
    upkeep: inboxUpkeep(inbox.buckets, clock, logger),
  };
}
