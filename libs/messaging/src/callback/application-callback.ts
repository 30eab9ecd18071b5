import { type ConfirmMiddlewares, confirmMiddlewares, Confirmer, type FindAgain, RecheckingPublisher, type ResendQuestion, resendRequest, type ResolvedCallbackOptions, SenderResender, SubscriptionsAnnouncer } from '@tidings/callback'; // prettier-ignore
import { type Message, type MessageContext, type MessageFactory, TidingsError } from '@tidings/core';
import type { FoundHandler } from '../handling/handler.explorer';
import type { PlannedSubscription } from '../handling/subscription-plan';
import type { MessagingRuntime } from '../messaging-runtime';
import { PublishFailedError, type UnconfirmedMessage } from '../messaging.errors';
import type { Expectation } from '../publishing/expectation';
import type { FoundResend } from './resend.explorer';

/** The group by which a service's processes share the questions of the callback service. */
const RESEND_GROUP = 'resend';

/** What an application has of the callback scheme: confirms as a consumer, sends and answers as a sender. Stands on the default store, if there is one. */
export class ApplicationCallback {
  readonly confirm: ConfirmMiddlewares | undefined;
  readonly announcer: SubscriptionsAnnouncer;
  /** Undefined without a store, or for a service that sends nothing. */
  readonly publisher: RecheckingPublisher | undefined;
  readonly resender: SenderResender | undefined;
  /** True: the callback service may ask by HTTP as well, so that nothing is amiss where the transport carries no requests. */
  askedByHttp = false;
  readonly #confirmer: Confirmer;
  #answers: ReadonlyMap<string, FoundResend> = new Map();

  constructor(
    private readonly runtime: MessagingRuntime,
    private readonly options: ResolvedCallbackOptions & { readonly expected: readonly Expectation[] },
    private readonly factory: MessageFactory,
  ) {
    const { clock, logger, publisher } = runtime;
    const publish = publisher.publish.bind(publisher);
    this.announcer = new SubscriptionsAnnouncer({ publish, clock, logger });
    this.#confirmer = new Confirmer({ publish, gatherMs: options.gatherMs, clock, logger });
    const outboxOf = (name: string) => runtime.storeFor('callback', name).outbox;
    this.confirm =
      options.confirm === 'off'
        ? undefined
        : confirmMiddlewares({ confirmer: this.#confirmer, clock, ...(options.confirm === 'outbox' && { outboxOf }) });
    const sends = options.sends && runtime.hasDefaultStore;
    this.publisher = sends ? this.#publisherOf() : undefined;
    this.resender = sends ? this.#resenderOf() : undefined;
  }

  /** What receives the questions. Complete when all modules are there. */
  get handlers(): readonly FoundHandler[] {
    if (!this.resender) return [];
    const responder = this.#responder(this.resender);
    return this.askedByHttp && !this.runtime.carriesRequests(responder.contract.type) ? [] : [responder];
  }

  /** Who makes messages again, by their contracts. Before anything is received. */
  answerBy(found: readonly FoundResend[]): void {
    this.#answers = new Map(found.map((one) => [one.contract.type, one]));
  }

  /** The subscriptions have started: those that are durable and confirm are told. */
  started(planned: readonly PlannedSubscription[]): void {
    if (this.options.confirm === 'off') return;
    const told = planned
      .filter(({ subscription }) => !subscription.broadcast)
      .flatMap(({ subscription, handlers }) =>
        handlers
          .filter(
            ({ level, reply, contract }) => level !== 'atMostOnce' && !reply && !contract.type.startsWith('tidings.'),
          )
          .map(({ contract }) => ({ type: contract.type, group: subscription.group })),
      );
    this.announcer.start(told);
  }

  /** Resolves when confirmations and messages that are on their way are out. */
  async flush(): Promise<void> {
    await Promise.all([this.#confirmer.flush(), this.publisher?.flush()]);
  }

  #publisherOf(): RecheckingPublisher {
    const { runtime, options, factory } = this;
    const { store, outbox } = runtime.storeFor('messaging.callback');
    return new RecheckingPublisher({
      store,
      outbox,
      factory,
      routes: (contract) => runtime.router.destinationsOf(contract),
      connect: (name) => runtime.transports.connect(name),
      options,
      expected: Object.fromEntries(options.expected.map(({ contract, groups }) => [contract.type, groups])),
      logger: runtime.logger,
    });
  }

  #resenderOf(): SenderResender {
    const { runtime } = this;
    const { store, outbox } = runtime.storeFor('messaging.callback');
    const fromArchive: FindAgain = async ({ transaction, ...question }, on) =>
      transaction === null ? undefined : outbox.find({ ...question, transaction }, on);
    return new SenderResender({
      store,
      fromBusiness: (type) => this.#fromBusiness(type),
      fromArchive,
      send: (message, groups) => this.#send(message, groups),
      logger: runtime.logger,
    });
  }

  #fromBusiness(type: string): FindAgain | undefined {
    const found = this.#answers.get(type);
    if (!found) return undefined;
    return async (question, transaction) => {
      const payload = await found.ask(question, transaction);
      if (payload === undefined || payload === null) return undefined;
      if (payload === 'undecided') return 'undecided';
      const { id, headers, bucket, time } = question;
      const message = await this.factory.create(found.contract, payload as never, { id, headers });
      return { ...message, bucket, time };
    };
  }

  /** To the groups asked for, on each transport of the message's route; where several are, one of them has to know a group. */
  async #send(message: Message, groups: readonly string[]): Promise<void> {
    const unconfirmed = new Map<string, UnconfirmedMessage>();
    const reached = new Set<string>();
    for (const { transport } of this.runtime.router.destinationsOf(message)) {
      const publisher = await this.runtime.transports.connect(transport);
      const results = await publisher.publish(groups.map((group) => ({ message, group })));
      for (const [index, result] of results.entries()) {
        const group = groups[index]!;
        if (result.outcome === 'confirmed') reached.add(group);
        else unconfirmed.set(group, { messageId: message.id, type: message.type, transport, topic: message.topic, reason: result.reason, error: result.error }); // prettier-ignore
      }
    }
    const [first, ...more] = [...unconfirmed].filter(([group]) => !reached.has(group)).map(([, one]) => one);
    if (first) throw new PublishFailedError([first, ...more]);
  }

  #responder(resender: SenderResender): FoundHandler {
    const contract = resendRequest(this.factory.source);
    return {
      name: 'callback.resend',
      module: '',
      contract,
      reply: contract.reply,
      options: { group: RESEND_GROUP, level: 'atLeastOnce' },
      invoke: async (question, context) => {
        const { transaction } = context as MessageContext;
        if (!transaction) throw new TidingsError('TIDINGS_CALLBACK', 'expected a transaction to look in, found none');
        return { answer: await resender.resend(question as ResendQuestion, transaction) };
      },
    };
  }
}
