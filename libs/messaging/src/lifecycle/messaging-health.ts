import { Injectable } from '@nestjs/common';
import type { TransportHealth } from '@tidings/core';
import type { ParkedCount } from '@tidings/parked-keys';
import type { MissingGroup } from '../publishing/expectation';
import { MessagingRuntime } from '../messaging-runtime';
import { ConsumerLifecycle } from './consumer-lifecycle';

export interface RelayHealth {
  readonly store: string;
  readonly up: boolean;
  /** Lanes that this process holds; 0 while others hold them all. */
  readonly lanes: number;
  readonly detail: string;
}

export interface MessagingHealthReport {
  /** Every consumer, relay and transport in use is up, and no group is missing. */
  readonly up: boolean;
  /** A paused one is up. */
  readonly consumers: { readonly up: number; readonly total: number; readonly paused: number };
  /** Subscriptions of this process whose circuit is open, as `partners on gift.sent`; they are up: a restart mends nothing. */
  readonly openCircuits: readonly string[];
  /** Empty in a process without the role `relay`. */
  readonly relays: readonly RelayHealth[];
  /** Keys that are parked, by store, as of half a minute ago; `old` ones have been so for longer than `parking.alarmAfterMs`. Empty without the role `handle`. */
  readonly parkedKeys: Readonly<Record<string, ParkedCount>>;
  /** Of `messaging.expects`: contracts do not reach these groups, for they do not exist. */
  readonly missingGroups: readonly MissingGroup[];
  /** Those in use: a process that only writes to outboxes uses none. */
  readonly transports: Readonly<Record<string, TransportHealth>>;
}

/** What this process's messaging is up to, from memory: safe to ask as often as a probe likes. For the backlog ask `outbox.backlog()`. */
@Injectable()
export class MessagingHealth {
  constructor(
    private readonly runtime: MessagingRuntime,
    private readonly lifecycle: ConsumerLifecycle,
  ) {}

  check(): MessagingHealthReport {
    const { consumers } = this.lifecycle;
    const healthy = consumers.filter((consumer) => consumer.healthy()).length;
    const relays = this.lifecycle.relaying
      ? this.runtime.stores.map(({ name, relay }) => relayHealth(name, relay))
      : [];
    const transports = this.runtime.transports.health();
    const missingGroups = this.runtime.expectedGroups.missing;
    return {
      up:
        healthy === consumers.length &&
        missingGroups.length === 0 &&
        relays.every(({ up }) => up) &&
        Object.values(transports).every(({ up }) => up),
      consumers: {
        up: healthy,
        total: consumers.length,
        paused: consumers.filter(({ paused }) => paused).length,
      },
      openCircuits: consumers.flatMap(({ openCircuit }) => openCircuit ?? []),
      relays,
      parkedKeys: this.runtime.plays('handle')
        ? Object.fromEntries(this.runtime.stores.map(({ name, parkedKeysWatch }) => [name, parkedKeysWatch.count]))
        : {},
      missingGroups,
      transports,
    };
  }
}

function relayHealth(store: string, { lanes, failing }: { lanes: number; failing: Error | undefined }): RelayHealth {
  const detail = failing ? `cannot read the log: ${failing.message}` : `${lanes} lanes held`;
  return { store, up: failing === undefined, lanes, detail };
}
