/**
 * What a transport can do by itself, each told as a fact: `true`, or a sentence that says why not and cites the broker's document.
 * Runtime fallbacks and the conformance suite read this same object.
 */
export interface Capabilities {
  /** A confirmed message survives a broker's restart. */
  readonly durable: Capability;
  /** Messages of one key are handled one after the other across consumers of a group. */
  readonly ordered: Capability;
  /** Every consumer gets every message. */
  readonly broadcast: Capability;
  /** `delayMs` and delayed retries. */
  readonly delay: Capability;
  /** A message that no group would receive is reported. */
  readonly unroutable: Capability;
  /** The attempt of a delivery is true even after a consumer died. */
  readonly attempts: Capability;
  /** A new group may begin at the oldest message kept. */
  readonly replay: Capability;
  /** Rejected messages are kept and can be read (`NativeDeadLetters`). */
  readonly deadLetters: Capability;
  /** A message of at least 1 MiB passes. */
  readonly largePayload: Capability;
  /** Consumers in other processes share a group. */
  readonly processes: Capability;
}

export type Capability = true | string;
export type CapabilityName = keyof Capabilities;

export const has = (capability: Capability): capability is true => capability === true;
