import { asError, failed, type OutgoingMessage, type Publisher, type PublishResult, TidingsError } from '@tidings/core'; // prettier-ignore
import { RedisClosedError } from './redis.errors';
import { away, type RedisConnection } from './redis-connection';
import type { ConnectionSettings } from './redis-connection.options';
import { reasonOf } from './server-answers';

/** What one script adds: it holds up everybody else at the server. */
const PAGE = 100;
const PAGE_BYTES = 1024 * 1024;

/** A message made ready for its topic. */
export interface Letter {
  readonly topic: string;
  /** What it takes on the wire, about. */
  readonly bytes: number;
}

/** How one transport of this package publishes. */
export interface PublishPlan<Made extends Letter> {
  /** May throw: then the message is `refused`. */
  letterOf(outgoing: OutgoingMessage): Made;
  /** A key that is where this topic's messages go. */
  place(topic: string): string;
  /** One result a letter, in their order. Rejects with what the server answered, or with the loss of its connection. */
  send(topic: string, letters: readonly Made[]): Promise<readonly PublishResult[]>;
}

/** Publishes the messages of one topic in pages, one after the other, so that a page that fails is not overtaken; topics side by side. */
export class PagedPublisher<Made extends Letter> implements Publisher {
  readonly #inFlight = new Set<Promise<unknown>>();
  #closed = false;

  constructor(
    private readonly connection: RedisConnection,
    private readonly plan: PublishPlan<Made>,
    private readonly settings: Pick<ConnectionSettings, 'maxMessageBytes' | 'commandTimeoutMs'> & { readonly replicas: number }, // prettier-ignore
  ) {}

  /** Refuses `publish` from now on and waits for what is in flight. */
  async stop(): Promise<void> {
    this.#closed = true;
    while (this.#inFlight.size > 0) await Promise.all(this.#inFlight);
  }

  async publish(messages: readonly OutgoingMessage[]): Promise<readonly PublishResult[]> {
    if (this.#closed) throw new RedisClosedError('publish');
    const publishing = this.#publish(messages);
    this.#inFlight.add(publishing);
    try {
      return await publishing;
    } finally {
      this.#inFlight.delete(publishing);
    }
  }

  async #publish(messages: readonly OutgoingMessage[]): Promise<readonly PublishResult[]> {
    const results = new Array<PublishResult>(messages.length);
    const topics = new Map<string, { readonly index: number; readonly letter: Made }[]>();
    messages.forEach((outgoing, index) => {
      const letter = this.#letterOf(outgoing);
      if ('outcome' in letter) results[index] = letter;
      else {
        const letters = topics.get(letter.topic);
        if (letters) letters.push({ index, letter });
        else topics.set(letter.topic, [{ index, letter }]);
      }
    });
    await Promise.all([...topics].map(([topic, letters]) => this.#publishTo(topic, letters, results)));
    return results;
  }

  /** Never rejects. After a page that failed for now the rest is not tried: it would overtake. */
  async #publishTo(
    topic: string,
    letters: readonly { readonly index: number; readonly letter: Made }[],
    results: PublishResult[],
  ): Promise<void> {
    let failure: PublishResult | undefined;
    for (const page of pagesOf(letters)) {
      const answers = failure ? undefined : await this.#page(topic, page.map(({ letter }) => letter)); // prettier-ignore
      failure ??= answers?.find((answer) => answer.outcome === 'failed' && answer.reason === 'transient');
      page.forEach(({ index }, at) => (results[index] = answers?.[at] ?? failure!));
    }
  }

  async #page(topic: string, letters: readonly Made[]): Promise<readonly PublishResult[]> {
    if (!this.connection.up) {
      const failure = failed('transient', away(this.connection));
      return letters.map(() => failure);
    }
    try {
      return await this.#replicated(topic, await this.plan.send(topic, letters));
    } catch (thrown) {
      const error = asError(thrown);
      const failure = failed(reasonOf(error), error);
      return letters.map(() => failure);
    }
  }

  /** WAIT counts for what was written on this connection before. */
  async #replicated(topic: string, results: readonly PublishResult[]): Promise<readonly PublishResult[]> {
    const { replicas, commandTimeoutMs } = this.settings;
    if (replicas === 0) return results;
    const [reached] = (await this.connection.callNear(this.plan.place(topic), [
      ['WAIT', replicas, Math.floor(commandTimeoutMs / 2)],
    ])) as [number];
    if (reached >= replicas) return results;
    const problem = `redis: expected ${replicas} replica(s) to have the message, found ${reached}; it may be there all the same`;
    const failure = failed('transient', new TidingsError('TIDINGS_REDIS_REPLICAS', problem));
    return results.map((result) => (result.outcome === 'confirmed' ? failure : result));
  }

  #letterOf(outgoing: OutgoingMessage): Made | PublishResult {
    const { message } = outgoing;
    const { maxMessageBytes } = this.settings;
    if (message.payload.byteLength > maxMessageBytes) {
      const problem = `message ${message.id}: expected at most ${maxMessageBytes} bytes, found ${message.payload.byteLength}; raise redis.maxMessageBytes, or send a reference`;
      return failed('too-large', new TidingsError('TIDINGS_REDIS_TOO_LARGE', problem));
    }
    try {
      return this.plan.letterOf(outgoing);
    } catch (thrown) {
      return failed('refused', asError(thrown));
    }
  }
}

function* pagesOf<Item extends { readonly letter: Letter }>(items: readonly Item[]): Generator<Item[]> {
  let page: Item[] = [];
  let bytes = 0;
  for (const item of items) {
    const size = item.letter.bytes;
    if (page.length > 0 && (page.length >= PAGE || bytes + size > PAGE_BYTES)) {
      yield page;
      page = [];
      bytes = 0;
    }
    page.push(item);
    bytes += size;
  }
  if (page.length > 0) yield page;
}
