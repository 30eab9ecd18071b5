import { type Capabilities, type CapabilityName, type Clock, OptionsError, systemClock } from '@tidings/core';
import { MemoryBroker } from './memory-broker';

export interface MemoryOptions {
  /** Capabilities to switch off, to see how an application fares on a poorer broker. Default none. */
  readonly without?: readonly CapabilityName[];
  /** Transports that are given the same broker reach each other. Default: a new broker. */
  readonly broker?: MemoryBroker;
  /** How long `close` waits for handlers of subscriptions that still run. Default 5,000. */
  readonly drainMs?: number;
  /** For delays and waits. Default the system's. */
  readonly clock?: Clock;
}

export interface MemorySettings {
  readonly capabilities: Capabilities;
  readonly broker: MemoryBroker;
  readonly drainMs: number;
  readonly clock: Clock;
}

const FULL: Capabilities = {
  durable: 'messages are kept in the memory of this process only',
  ordered: true,
  broadcast: true,
  delay: true,
  unroutable: true,
  attempts: true,
  replay: true,
  deadLetters: true,
  largePayload: true,
  processes: 'the broker lives in the memory of this process',
};

/** Checked by hand: four options do not earn a dependency on a validator. @throws OptionsError that names the bad option. */
export function memorySettings({
  without = [],
  broker,
  drainMs = 5_000,
  clock = systemClock,
}: MemoryOptions): MemorySettings {
  const unknown = without.findIndex((name) => !Object.hasOwn(FULL, name));
  if (unknown >= 0) {
    const names = Object.keys(FULL).join(', ');
    throw new OptionsError(
      `memory.without.${unknown}`,
      `expected one of ${names}, found ${JSON.stringify(without[unknown])}`,
    );
  }
  if (!(Number.isFinite(drainMs) && drainMs >= 0))
    throw new OptionsError('memory.drainMs', `expected 0 or more, found ${drainMs}`);
  const off = Object.fromEntries(without.map((name) => [name, `switched off by memory({ without: ['${name}'] })`]));
  return {
    capabilities: Object.freeze({ ...FULL, ...off }),
    broker: broker ?? new MemoryBroker({ clock }),
    drainMs,
    clock,
  };
}
