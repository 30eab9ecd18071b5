import {
  type ActiveSubscription,
  defineRequest,
  dispatcher,
  type HandlerDefinition,
  MessageFactory,
  never,
  replyMiddleware,
  Requester,
  retryMiddleware,
  silentLogger,
  systemClock,
  type TidingsLogger,
  type Transport,
} from '@tidings/core';
import { Scene } from '../transport-conformance';

type Check<Value> = (value: unknown) => value is Value;

/** A Standard Schema from a type guard: this package has no validator of its own. */
const schemaOf = <Value>(check: Check<Value>, expected: string) => ({
  '~standard': {
    version: 1 as const,
    vendor: 'tidings',
    validate: (value: unknown) => (check(value) ? { value } : { issues: [{ message: `expected ${expected}` }] }),
    types: undefined as unknown as { input: Value; output: Value },
  },
});

export interface Question {
  readonly text: string;
}

const isQuestion: Check<Question> = (value): value is Question => typeof (value as Question | null)?.text === 'string';
const isAnswer: Check<{ readonly text: string }> = (value): value is { text: string } =>
  typeof (value as { text?: unknown } | null)?.text === 'string';

export type Respond = (question: Question) => unknown;

/** A scene with requesters and responders, as the Nest edge puts them together. */
export class Conversation extends Scene {
  readonly #requesters: Requester[] = [];
  /** Lines of level debug that requesters have logged. */
  readonly debugLines: string[] = [];
  readonly echo = defineRequest('room.echo', {
    topic: this.topic('room.echo'),
    schema: schemaOf(isQuestion, 'a question'),
    reply: { schema: schemaOf(isAnswer, 'an answer') },
  });

  async requester(): Promise<Requester> {
    const transport = await this.transport();
    const logger: TidingsLogger = { ...silentLogger, debug: (_, line) => void this.debugLines.push(line) };
    const factory = new MessageFactory('requester', systemClock);
    const requester = new Requester({ transport, factory, clock: systemClock, logger });
    this.#requesters.push(requester);
    return requester;
  }

  /** Answers on a transport of its own, in the group of all responders. */
  async responder(respond: Respond): Promise<{ readonly active: ActiveSubscription; readonly transport: Transport }> {
    const transport = await this.transport();
    const subscription = this.subscription({ topic: this.echo.topic, group: 'responders' });
    const handler: HandlerDefinition = {
      name: 'Echo.answer',
      contract: this.echo,
      subscription,
      transport: 'main',
      store: '',
      level: 'atLeastOnce',
      retry: never(),
      reply: this.echo.reply,
      invoke: async (question) => respond(question as Question),
    };
    const transportOf = (): Promise<Transport> => Promise.resolve(transport);
    const parts = { source: 'responder', transportOf, clock: systemClock, logger: silentLogger };
    const chain = [replyMiddleware(parts), retryMiddleware(systemClock)];
    const active = await transport.subscribe(subscription, dispatcher(handler, chain, silentLogger));
    return { active, transport };
  }

  override async end(): Promise<void> {
    await Promise.all(this.#requesters.map((requester) => requester.close()));
    await super.end();
  }
}
