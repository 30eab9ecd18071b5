import { Injectable } from '@nestjs/common';
import { OptionsError } from '@tidings/core';
import type { SubscriptionControl, SubscriptionName } from '@tidings/outbox';
import type { ControlsOfStore } from '../store-patterns';
import { MessagingRuntime } from '../messaging-runtime';

/** `group@topic`, or both by name where one of them has an @ in it. */
export type SubscriptionAddress = string | SubscriptionName;

/**
 * Pauses, resumes and resizes subscriptions in all processes of the cluster, those that start later included: kept in the store `default`, or the only
 * one, which the processes of a subscription must share. They follow within a second, by NOTIFY, or at their next look at the log (5 s) when that is lost.
 *
 * Every method rejects with MessagingConfigurationError when there is no such store, and with OptionsError for an address or a text that cannot be
 * meant. A subscription need not exist yet, so a wrong name is not noticed: look at `list`.
 */
@Injectable()
export class Subscriptions {
  constructor(private readonly runtime: MessagingRuntime) {}

  /**
   * Begins no further delivery in any process; those that run go on. What is published meanwhile waits at the broker, parked keys wait where they are, and
   * no attempt is burned. Of an already paused one the reason changes and the time stays. Durable when it resolves.
   */
  async pause(address: SubscriptionAddress, why: { readonly by: string; readonly reason: string }): Promise<void> {
    await this.#controls.pause(nameOf(address), why);
  }

  /** False: it was not paused. A circuit that is open in a process stays so there. */
  async resume(address: SubscriptionAddress): Promise<boolean> {
    return this.#controls.resume(nameOf(address));
  }

  /** Deliveries at once in each process from now on, 1 to 10,000; null gives it back to the code. */
  async setConcurrency(
    address: SubscriptionAddress,
    concurrency: number | null,
    who: { readonly by: string },
  ): Promise<void> {
    await this.#controls.setConcurrency(nameOf(address), concurrency, who);
  }

  /**
   * Messages of one key at once in each process from now on, 1 to 10,000; null gives it back to the code. Of an ordered subscription it is one, whatever is
   * said here, and batches are not limited by it.
   */
  async setKeyConcurrency(
    address: SubscriptionAddress,
    concurrency: number | null,
    who: { readonly by: string },
  ): Promise<void> {
    await this.#controls.setKeyConcurrency(nameOf(address), concurrency, who);
  }

  /** What is decided at the moment: who paused what since when and why, and whose concurrency is not the code's. */
  async list(): Promise<readonly SubscriptionControl[]> {
    return this.#controls.list();
  }

  get #controls(): ControlsOfStore {
    return this.runtime.storeFor('subscriptions').controls;
  }
}

function nameOf(address: SubscriptionAddress): SubscriptionName {
  if (typeof address !== 'string') return address;
  const [group, topic, ...more] = address.split('@');
  if (group && topic && more.length === 0) return { group, topic };
  throw new OptionsError('subscription', `must be group@topic, or { group, topic }, found ${JSON.stringify(address)}`);
}
