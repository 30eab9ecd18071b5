import { type Message, type MessageContext, type Middleware, retry, type Settlement } from '@tidings/core';
import type { Activity } from './activity';
import { Faults } from './faults';

/** What left for good: committed to an outbox, or confirmed by a transport. */
export interface Publication {
  readonly message: Message;
  readonly via: 'outbox' | 'direct';
  readonly transport: string;
  /** Not before then, in milliseconds since 1970; undefined: at once. */
  readonly dueMs: number | undefined;
}

/** One attempt to hand a message to a handler, and what became of it. */
export interface Attempt {
  readonly message: Message;
  readonly group: string;
  /** As `RankGiftHandler.rank`. */
  readonly handler: string;
  /** Runs of the handler so far, over all its deliveries. */
  readonly attempt: number;
  /**
   * - `handled`: the handler ran, and what it did is committed.
   * - `absorbed`: a copy of what was handled; the handler did not run.
   * - `failed`: anything else; it comes again, or is a dead letter.
   */
  readonly outcome: 'handled' | 'absorbed' | 'failed';
}

/** Writes down what happens in an application, by its place in the chain and at the way out. */
export class Recorder {
  readonly publications: Publication[] = [];
  readonly attempts: Attempt[] = [];
  readonly faults = new Faults();
  readonly inFlight = new Set<MessageContext>();
  readonly #outboxed = new Set<string>();
  /** By delivery: how the handler's last run ended; nothing when it did not run. */
  readonly #ran = new WeakMap<MessageContext, 'accepted' | 'failed'>();

  constructor(private readonly activity: Activity) {}

  readonly outermost: Middleware = async (context, next) => {
    this.inFlight.add(context);
    this.activity.happened();
    try {
      const settlement = await next();
      this.#record(context, settlement);
      const lost = settlement.kind === 'accept' && this.faults.take('before-acknowledgement', context);
      return lost ? retry(0, { counted: false }) : settlement;
    } finally {
      this.inFlight.delete(context);
      this.activity.happened();
    }
  };

  readonly innermost: Middleware = async (context, next) => {
    this.#ran.set(context, 'failed');
    this.faults.strike('before-handler', context);
    const settlement = await next();
    this.faults.strike('before-commit', context);
    if (settlement.kind === 'accept') this.#ran.set(context, 'accepted');
    return settlement;
  };

  committed(message: Message, transport: string, dueMs: number | undefined): void {
    this.#outboxed.add(identityOf(message));
    this.publications.push({ message, via: 'outbox', transport, dueMs });
    this.activity.happened();
  }

  /** What a relay sends was told of at its commit. */
  confirmed(message: Message, transport: string, dueMs: number | undefined): void {
    this.activity.happened();
    if (!this.#outboxed.has(identityOf(message))) this.publications.push({ message, via: 'direct', transport, dueMs });
  }

  clear(): void {
    this.publications.length = 0;
    this.attempts.length = 0;
  }

  #record(context: MessageContext, settlement: Settlement): void {
    const { message, handler, attempt } = context;
    const { group } = handler.subscription;
    const accepted = settlement.kind === 'accept' && settlement.buried === undefined;
    const ran = this.#ran.get(context);
    const known = this.attempts.some((one) => one.outcome === 'handled' && one.group === group && sameMessage(one.message, message)); // prettier-ignore
    const outcome = accepted && ran === 'accepted' ? 'handled' : accepted && !ran && known ? 'absorbed' : 'failed';
    this.attempts.push({ message, group, handler: handler.name, attempt, outcome });
  }
}

const identityOf = ({ source, id }: Message): string => JSON.stringify([source, id]);
const sameMessage = (a: Message, b: Message): boolean =>
  identityOf(a) === identityOf(b) && a.generation === b.generation;
