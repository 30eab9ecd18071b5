import { hasTwoPhasePublish, type Message, type Store, type Transport, type TwoPhaseAnswer } from '@tidings/core';
import type { AskBack } from './check-back';
import { HeldByBrokerError, PreparedDecisionError } from './prepared.errors';
import type { PreparedMessage, PreparedMessages } from './prepared-messages';

export interface HeldMessagesSetup {
  readonly store: Store;
  readonly prepared: PreparedMessages;
  readonly transports: Readonly<Record<string, Transport>>;
  /** The service that prepares: it answers for its own messages only. */
  readonly source: string;
}

/**
 * Prepared messages that a broker holds, in place of the store: no row is written as long as somebody decides, or answers the broker's first question.
 *
 * undecided at the broker → committed | rolled back; or the answer is unknown → adopted: the store takes it over, the broker forgets it. A broker asks a
 * limited number of times and drops the message then, silently: so the first question that cannot be answered is the last one that it asks. A decision
 * that comes after that finds the message in the store.
 */
export class HeldMessages {
  readonly #asked = new Map<string, Map<string, AskBack>>();

  constructor(private readonly setup: HeldMessagesSetup) {}

  /** @throws HeldByBrokerError when the route leads elsewhere than to one transport that can hold messages. */
  async prepare(message: Message, names: readonly string[], route?: 'required' | 'optional'): Promise<PreparedMessage> {
    const { transports, prepared } = this.setup;
    const [name, ...others] = names;
    const transport = name === undefined || others.length > 0 ? undefined : transports[name];
    if (!transport || !hasTwoPhasePublish(transport)) {
      throw new HeldByBrokerError(
        message.type,
        `a route to one transport that holds messages, found ${names.join(', ')}`,
      );
    }
    const held = await transport.prepare({ message, ...(route && { route }) });
    const { id } = message;
    return {
      message,
      commit: async (handle) => {
        refuse(message, handle);
        await held.commit();
        await ifAdopted(prepared.commit(id));
      },
      rollback: async (handle) => {
        refuse(message, handle);
        await held.rollback();
        await ifAdopted(prepared.rollback(id));
      },
    };
  }

  /** Who answers, in this process, for messages of a type that a broker holds. Resolves when the brokers among these transports know. */
  async answer(
    { type, topic }: Pick<Message, 'type' | 'topic'>,
    names: readonly string[],
    ask: AskBack,
  ): Promise<void> {
    for (const name of names) {
      const transport = this.setup.transports[name];
      if (!transport || !hasTwoPhasePublish(transport)) continue;
      const place = `${name}/${topic}`;
      const byType = this.#asked.get(place) ?? new Map<string, AskBack>();
      this.#asked.set(place, byType.set(type, ask));
      await transport.answerChecks(topic, (message) => this.#answer(message, name, byType.get(message.type)));
    }
  }

  async #answer(message: Message, transport: string, ask: AskBack | undefined): Promise<TwoPhaseAnswer> {
    const { store, source } = this.setup;
    if (!ask || message.source !== source) return 'unknown'; // another process, or another service, knows
    const undecided = {
      message,
      preparedAt: message.time,
      checks: 1,
      checkAt: message.time,
      transports: [transport],
      optional: false,
    };
    // What throws is asked again from the store, by CheckBack, which tells of it.
    const answer = await store.run((transaction) => ask(undecided, transaction)).catch(() => 'unknown' as const);
    if (answer !== 'unknown') return answer;
    await this.setup.prepared.adopt(undecided);
    return 'rollback';
  }
}

function refuse(message: Message, handle: unknown): void {
  if (handle === undefined) return;
  throw new HeldByBrokerError(
    message.type,
    'no transaction, in which a broker takes no part, found one; decide when it has committed',
  );
}

async function ifAdopted(decision: Promise<void>): Promise<void> {
  try {
    await decision;
  } catch (thrown) {
    if (!(thrown instanceof PreparedDecisionError) || thrown.found !== undefined) throw thrown;
  }
}
