import type { TidingsLogger, Transport } from '@tidings/core';

export interface BrokerPlace {
  readonly url: string;
  /** Before every name that is declared at the broker, so that two runs can share it. */
  readonly prefix: string;
  readonly logger?: TidingsLogger;
  /** The address is a proxy's: whatever addresses the broker itself tells of are not to be used. Default false. */
  readonly proxied?: boolean;
  /** Gives up and comes back sooner than in production, for runs in which servers are killed. Default false. */
  readonly impatient?: boolean;
  /**
   * Nobody need hear what is published here, and nothing is told twice: a broker that can, sends it once and waits for no answer. The others do more than
   * is asked. Default false.
   */
  readonly atMostOnce?: boolean;
}

/** One broker that things of this repository run on. */
export interface Broker {
  /** The environment's variable for its address. */
  readonly variable: string;
  /** What addresses begin with, as a pattern, and an example of one. */
  readonly address: { readonly pattern: RegExp; readonly example: string };
  /** Where it usually is. */
  readonly local: string;
  /**
   * The ports that its clients come to at the host of the address, whatever port that names: a proxy has to stand at each of them, on a host of its own.
   * Default none: clients stay with the address.
   */
  readonly fixedPorts?: readonly number[];
  /** Whether it has the power `RequestReply`. */
  readonly carriesRequests: boolean;
  /** How long, at most, what an impatient process held when it was killed waits for another. Milliseconds. */
  readonly takeOverMs: number;
  /** Why its crash may take what it had confirmed: then nobody may crash it and expect nothing lost. Default: it takes nothing. */
  readonly crashLoses?: string;
  /** Its package is loaded here and not before: a process loads the driver that it uses. */
  open(place: BrokerPlace): Promise<Transport>;
}
