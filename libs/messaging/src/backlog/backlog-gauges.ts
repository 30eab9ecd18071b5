import { Injectable } from '@nestjs/common';
import { MessagingConfigurationError } from '../messaging.errors';
import { MessagingRuntime } from '../messaging-runtime';
import {
  type BacklogGateOptions,
  checkBacklogGateOptions,
  type CheckedBacklogGateOptions,
} from './backlog-gate.options';
import { BacklogGauge } from './backlog-gauge';

/** Readers of one process each (`group#instance`): a dead one is forgotten after a while, and must not refuse anybody's request until then. */
const isBroadcast = (reader: string): boolean => reader.includes('#');

/** The gauges of an application, one for each gate's options. */
@Injectable()
export class BacklogGauges {
  readonly #gauges = new Map<BacklogGateOptions, BacklogGauge>();

  constructor(private readonly runtime: MessagingRuntime) {}

  /** Of `messaging.backlogGate`. @throws MessagingConfigurationError when there is none. */
  get default(): BacklogGauge {
    const { backlogGate } = this.runtime.options;
    if (backlogGate) return this.of(backlogGate);
    throw new MessagingConfigurationError(
      'BacklogGate',
      'expected messaging.backlogGate, found none; add { maxBacklog } there, or use backlogGate({ … })',
    );
  }

  /** @throws OptionsError, and MessagingConfigurationError when no store is meant. */
  of(options: BacklogGateOptions): BacklogGauge {
    let gauge = this.#gauges.get(options);
    if (!gauge) this.#gauges.set(options, (gauge = this.#make(checkBacklogGateOptions('backlogGate', options))));
    return gauge;
  }

  #make(options: CheckedBacklogGateOptions): BacklogGauge {
    const { clock, logger } = this.runtime;
    const { log } = this.runtime.storeFor('backlogGate', options.store);
    // Counting stops at twice the limit: how far past it the backlog is makes no difference, and the count costs what it counts.
    const measure = async (): Promise<number> => {
      const slowest = new Map<string, number>();
      for (const { reader, transport, topic, messages } of await log.backlog(2 * options.maxBacklog, options.topics)) {
        const place = JSON.stringify([transport, topic]);
        if (!isBroadcast(reader)) slowest.set(place, Math.max(slowest.get(place) ?? 0, messages));
      }
      return [...slowest.values()].reduce((sum, messages) => sum + messages, 0);
    };
    return new BacklogGauge(measure, options, clock, logger);
  }
}
