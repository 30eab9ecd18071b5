import {
  type BeforeApplicationShutdown,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { asError } from '@tidings/core';
import { CheckBackExplorer, type FoundCheckBack } from '../handling/check-back.explorer';
import { compensationOf } from '../handling/compensation-plan';
import { HandlerExplorer } from '../handling/handler.explorer';
import { ResendExplorer } from '../callback/resend.explorer';
import { type PlannedSubscription, planSubscriptions } from '../handling/subscription-plan';
import { MessagingRuntime } from '../messaging-runtime';
import { DestinationReleasers } from './destination-releasers';
import { FollowedControls } from './followed-controls';
import { KeyReleasers } from './key-releasers';
import { InjectionCheck } from './injection-check';
import { buryDeadLettersOf } from './buried-dead-letters';
import { divided } from './pool-shares';
import { paceOf } from './pace-choice';
import { checkReplies } from './reply-check';
import { checkRetention } from './retention-check';
import { RunningConsumer } from './running-consumer';
import { watchForShutdownHooks } from './shutdown-hook-watch';

type Undo = () => Promise<unknown>;

/**
 * Starts and stops what an application receives and relays, by Nest's hooks.
 *
 * Start: stores, tables, transports, subscriptions, relays. The subscriptions come before the relays, so that queues exist before the first publish:
 * on a new broker the relay's messages would otherwise be unroutable. What fails undoes what was started, and the boot fails.
 *
 * Stop: `beforeApplicationShutdown` stops the subscriptions and waits for their handlers, which may still publish, then the relays;
 * `onApplicationShutdown` closes transports and stores. A signal during the start waits for the start.
 */
@Injectable()
export class ConsumerLifecycle implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  #starting: Promise<void> = Promise.resolve();
  #consumers: readonly RunningConsumer[] = [];
  #relaying = false;
  readonly #stopReceiving: Undo[] = [];
  readonly #close: Undo[] = [];
  readonly #watch = new AbortController();

  constructor(
    private readonly runtime: MessagingRuntime,
    private readonly explorer: HandlerExplorer,
    private readonly checkBacks: CheckBackExplorer,
    private readonly resends: ResendExplorer,
    private readonly injections: InjectionCheck,
  ) {}

  get consumers(): readonly RunningConsumer[] {
    return this.#consumers;
  }

  get relaying(): boolean {
    return this.#relaying;
  }

  onApplicationBootstrap(): Promise<void> {
    this.#starting = this.#start();
    return this.#starting;
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#watch.abort();
    await this.#starting.catch(() => undefined);
    await this.#undo(this.#stopReceiving);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.beforeApplicationShutdown(); // Nest calls both; a test may call one
    await this.#undo(this.#close);
  }

  async #start(): Promise<void> {
    const { runtime } = this;
    this.injections.check();
    const planned = runtime.plays('handle')
      ? planSubscriptions(
          [...this.explorer.explore(), ...(runtime.callback?.handlers ?? [])].map((one) =>
            compensationOf(one, runtime.options.source),
          ),
          {
            router: runtime.router,
            transports: runtime.transports.names,
            stores: runtime.storeNames,
            storelessInbox: runtime.options.storelessInbox !== undefined,
          },
        )
      : [];
    const checkBacks = runtime.plays('handle') ? this.checkBacks.explore() : [];
    runtime.callback?.answerBy(runtime.plays('handle') ? this.resends.explore() : []);
    checkRetention(runtime.options.inbox, planned);
    runtime.handlers.learn(planned);
    if (runtime.options.roles.length === 0) return;
    try {
      await this.#open();
      if (runtime.plays('handle')) await this.#handle(planned);
      if (runtime.plays('relay')) await this.#relay();
      await this.#expect();
      await this.#answer(checkBacks);
      this.#reclaim();
      if (runtime.plays('handle', 'relay')) await this.#redrive();
    } catch (thrown) {
      await this.#undo(this.#stopReceiving);
      await this.#undo(this.#close);
      throw thrown;
    }
    if (runtime.plays('handle', 'relay')) watchForShutdownHooks(runtime.logger, this.#watch.signal);
  }

  async #open(): Promise<void> {
    const { runtime } = this;
    this.#close.push(
      async () => runtime.callback?.flush(),
      () => runtime.requester.close(),
      () => runtime.transports.close(),
    );
    for (const patterns of runtime.stores) {
      this.#close.push(async () => {
        await patterns.flush();
        await patterns.store.close();
      });
      await runtime.prepare(patterns);
    }
  }

  async #handle(planned: readonly PlannedSubscription[]): Promise<void> {
    const { chain, shared, circuits, clock, logger, options, transports, stores } = this.runtime;
    for (const task of stores.flatMap(({ upkeep, parkedKeysWatch }) => [upkeep, parkedKeysWatch])) {
      this.#close.unshift(() => task.stop());
      await task.start();
    }
    const { inboxFilter } = options;
    if (inboxFilter) {
      this.#close.unshift(() => inboxFilter.stop());
      inboxFilter.start();
    }
    const sharing = stores.reduce((all, { name, store }) => divided(all, name, store, logger), planned);
    const storeOf = (name: string) => stores.find((patterns) => patterns.name === name)?.store;
    const pace = (one: PlannedSubscription) => paceOf(one, { storeOf, clock, logger });
    const controls = new FollowedControls(this.runtime.controls, logger);
    this.#close.unshift(() => controls.stop());
    await controls.start(() => this.#consumers.forEach((consumer) => consumer.obey()));
    const parts = { chain, shared, clock, logger, circuits, controls, pace };
    this.#consumers = sharing.map((one) => new RunningConsumer(one, parts));
    const releasers = new KeyReleasers(this.runtime, this.#consumers);
    this.#stopReceiving.push(async () => this.runtime.callback?.announcer.stop());
    this.#stopReceiving.push(() =>
      Promise.all([...this.#consumers, releasers].map((receiving) => receiving.stop(options.drainMs))),
    );
    for (const consumer of this.#consumers) {
      const transport = await transports.connect(consumer.planned.transport);
      checkReplies(consumer.planned, transport);
      await consumer.start(transport);
      const stop = await buryDeadLettersOf(consumer.planned, transport, this.runtime);
      if (stop) this.#stopReceiving.unshift(stop);
    }
    await releasers.start(); // now it is known which of them are paused
    this.runtime.callback?.started(planned);
    logger.info({ subscriptions: this.#consumers.length }, 'receiving');
  }

  /** For prepared messages of the store, and for those that brokers hold. */
  async #answer(checkBacks: readonly FoundCheckBack[]): Promise<void> {
    for (const { type, topic, store, ask } of checkBacks) {
      const { checkBack, outbox } = this.runtime.storeFor(type, store);
      checkBack.answer(type, ask);
      const destinations = this.runtime.router.find(type) ?? [];
      await outbox.held.answer({ type, topic }, destinations.map(({ transport }) => transport), ask); // prettier-ignore
    }
  }

  /** Every process that handles or relays may be the one that runs the Reclaimers; one that only publishes needs no timer. */
  #reclaim(): void {
    if (!this.runtime.plays('handle', 'relay')) return;
    for (const tasks of [...this.runtime.stores.map(({ background }) => background), this.runtime.companions]) {
      for (const task of tasks) {
        this.#stopReceiving.push(() => task.stop());
        task.start();
      }
    }
  }

  async #relay(): Promise<void> {
    const { stores, transports, options } = this.runtime;
    if (stores.length === 0) return;
    for (const name of transports.names) await transports.connect(name);
    for (const { relay } of stores) {
      this.#stopReceiving.push(() => relay.stop());
      await relay.start();
    }
    const releasers = new DestinationReleasers(this.runtime);
    this.#stopReceiving.push(() => releasers.stop(options.drainMs));
    await releasers.start();
    this.#relaying = true;
  }

  /** Where messages leave for their transports: a process that only writes to outboxes needs no broker, and must not wait for one. */
  async #expect(): Promise<void> {
    const { expectedGroups } = this.runtime;
    if (!this.#relaying && !(this.runtime.plays('publish') && this.runtime.stores.length === 0)) return;
    this.#stopReceiving.push(() => expectedGroups.stop());
    await expectedGroups.start();
  }

  /** Works on redrive jobs. Stops first: a letter in hand needs the transports. */
  async #redrive(): Promise<void> {
    for (const { redriving } of this.runtime.stores) {
      this.#stopReceiving.unshift(async () => redriving?.stop());
      await redriving?.start();
    }
  }

  /** In their order, each once; one that fails is logged and does not keep the others from their turn. */
  async #undo(steps: Undo[]): Promise<void> {
    for (const step of steps.splice(0)) {
      try {
        await step();
      } catch (thrown) {
        this.runtime.logger.error({ err: asError(thrown) }, 'could not be stopped in order');
      }
    }
  }
}
