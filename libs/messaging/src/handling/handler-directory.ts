import type { Message, MessageContract } from '@tidings/core';
import type { PlannedHandler } from './handler-plan';
import type { PlannedSubscription } from './subscription-plan';

/** The handlers of this process, for whoever asks what would become of a message. Empty in a process that does not handle. */
export class HandlerDirectory {
  #handlers: readonly PlannedHandler[] = [];

  learn(planned: readonly PlannedSubscription[]): void {
    this.#handlers = planned.flatMap(({ handlers }) => handlers);
  }

  /** The handler that a group has for a type. */
  find(group: string, { topic, type }: Pick<Message, 'topic' | 'type'>): PlannedHandler | undefined {
    return this.#handlers.find(
      ({ subscription, contract }) =>
        subscription.group === group && subscription.topic === topic && contract.type === type,
    );
  }

  /** The contract of a type, by which any group of this process handles it. */
  contractOf(type: string): MessageContract<unknown, never> | undefined {
    return this.#handlers.find(({ contract }) => contract.type === type)?.contract;
  }
}
