import type { Clock, MemoryStore, MessageFactory, TidingsLogger } from '@tidings/core';
import { memoryLetters } from '@tidings/dead-letter';
import { MemoryInbox } from '@tidings/inbox';
import { CheckBack, MemoryControls, MemoryLog, MemoryRelay, Outbox } from '@tidings/outbox';
import { MemoryParkedKeys } from '@tidings/parked-keys';
import { ReclaimScheduler } from '@tidings/reclaim';
import type { HandlerDirectory } from './handling/handler-directory';
import type { CheckedMessagingOptions } from './messaging.options';
import type { MessagingSubstitutes } from './messaging.substitutes';
import { ApplicationDeadLetters } from './publishing/application-dead-letters';
import type { ContractRouter } from './publishing/contract-router';
import type { TransportRegistry } from './publishing/transport-registry';
import type { BackgroundTask, StorePatterns } from './store-patterns';

export interface MemoryPatternsParts {
  readonly name: string;
  readonly store: MemoryStore;
  readonly factory: MessageFactory;
  readonly options: CheckedMessagingOptions;
  readonly clock: Clock;
  readonly logger: TidingsLogger;
  readonly instance: string;
  readonly transports: TransportRegistry;
  readonly router: ContractRouter;
  readonly handlers: HandlerDirectory;
  readonly substitutes: MessagingSubstitutes | undefined;
}

/** A test that moves its clock by weeks stops once a day for it. */
const IDLE_MS = 86_400_000;

const nothing: BackgroundTask = { start: () => undefined, stop: async () => undefined };

/**
 * The patterns of a store in memory, for tests. What handlers themselves ask of a database needs statements: it is refused with TIDINGS_NO_SQL. Reclaim
 * and poison's records have nothing to do: nothing here outlives the process.
 */
export function memoryPatterns(parts: MemoryPatternsParts): StorePatterns {
  const { name, store, factory, options, clock, logger, instance, transports, router, handlers } = parts;
  const { reclaim: reclaimOptions } = options;
  const log = new MemoryLog(store, clock);
  const inbox = new MemoryInbox(store, options.inbox, clock);
  const parkedKeys = new MemoryParkedKeys(options.parking, clock, logger);
  const letters = memoryLetters(clock);
  const keyParking = parkedKeys;
  const deadLetters = new ApplicationDeadLetters({ store, letters, inbox, keyParking, transports, handlers, clock, logger }); // prettier-ignore
  const setup = { log, factory, routes: router.destinationsOf, transports: options.transports };
  const outbox = new Outbox({ ...setup, checkBack: options.checkBack });
  // Nobody looks from time to time: what is in this process tells when it is due.
  const asking = { ...options.checkBack, everyMs: IDLE_MS };
  const checkBack = new CheckBack({ store, prepared: outbox.prepared, deadLetters, options: asking, instance, clock, logger }); // prettier-ignore
  const publisherOf = (transport: string) => transports.publisher(transport);
  parts.substitutes?.watch(name, log);
  return {
    name,
    store,
    log,
    controls: new MemoryControls(clock),
    flush: async () => undefined,
    outbox,
    deadLetters,
    redriving: deadLetters.redriveWorker,
    inbox,
    inboxBatch: inbox,
    parkedKeys,
    outboundReleaserOf: undefined,
    releaserOf: (places) => ({ start: async () => parkedKeys.start(places), stop: (drainMs) => parkedKeys.stop(drainMs) }), // prettier-ignore
    parkedKeysWatch: {
      ...nothing,
      get count() {
        return parkedKeys.count;
      },
    },
    relay: new MemoryRelay({ log, publisherOf, deadLetters, instance, clock, logger, ...(options.relay && { options: options.relay }) }), // prettier-ignore
    upkeep: nothing,
    checkBack,
    reclaim: new ReclaimScheduler({ store, reclaimers: [], options: reclaimOptions, instance, clock, logger }),
    background: [checkBack],
    ledger: undefined,
  };
}
