import type { Capabilities, Subscription, Transport } from '@tidings/core';

/** What a transport must give so that the conformance suite can judge it. */
export interface TransportHarness {
  /** The column of the conformance table; a transport's own `kind`. */
  readonly kind: string;
  /**
   * The same object that the transports carry. It is asked before any transport exists: it decides which behaviours apply, and what does not
   * apply is skipped under the capability's own sentence.
   */
  readonly capabilities: Capabilities;
  /** Called once, before anything else: makes the schema, the prefix or the virtual host that the run owns. */
  open?(): Promise<void>;
  /**
   * A new transport, not yet connected, on the same broker and in the same namespace: two of them are two consumers. Delays of its own
   * (reconnect, poll, lease) should be short, for the suite waits for deliveries. The suite closes it.
   */
  create(): Transport | Promise<Transport>;
  /** Breaks all connections of all transports made so far from outside, as a network would. They must come back by themselves. */
  cut?(): Promise<void>;
  /** False where a lease and not the connection holds a delivery: then a cut need not take a delivery from a handler that runs. Default true. */
  readonly cutRedelivers?: boolean;
  /** What every subscription of the suite is that does not say otherwise: `broadcast: true` for a transport without groups. */
  readonly subscription?: Partial<Pick<Subscription, 'broadcast'>>;
  /** How to make such a transport in another operating-system process. Needed where the capability `processes` holds. */
  readonly process?: ProcessTransport;
  /**
   * Behaviours, by name, that this transport cannot have by its nature although no capability tells it, each with the reason. The matrix
   * decides whether that is accepted.
   */
  readonly exempt?: Readonly<Record<string, string>>;
  /** Called after each behaviour, when its transports are closed: for what they do not own, as a user's pool. */
  afterEach?(): Promise<void>;
  /** How long the suite waits for what must happen. Default 15,000. */
  readonly deadlineMs?: number;
  /** By what the suite's waits and its tests' time-outs are multiplied, where the broker itself is slow to deliver again. Default 1. */
  readonly patience?: number;
  /** Called once, at the end: drops what `open` made. All transports are closed by then. */
  close(): Promise<void>;
}

/** Names a function that makes a transport: the other process requires the module and calls it with the options. */
export interface ProcessTransport {
  /** A package's name, as `@tidings/rabbitmq`, or the absolute path of a module (TypeScript is fine in this repository). */
  readonly module: string;
  /** The exported function, `(options) => Transport | Promise<Transport>`. */
  readonly factory: string;
  /** Passed to it as JSON: it crosses a process border. Asked when the process starts, if it is a function. */
  readonly options: object | (() => object);
}
