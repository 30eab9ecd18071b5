import { asError, type Clock, type Closeable, quoted, type TidingsLogger } from '@tidings/core';
import type { Client } from 'pg';
import { askForLife } from './sql/ask-for-life';

type OnNotify = (payload: string | undefined) => void;

const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 5_000;
/** A query a minute: next to nothing; what a firewall forgets it forgets after minutes, and whoever listens also polls. */
const HEARTBEAT_MS = 60_000;

/**
 * One connection that listens to all channels of a store; made again whenever it is lost, with growing delays.
 *
 * After each connect every callback gets `undefined`, the first time too: what was sent while nobody listened is unknown.
 *
 * idle → (first listen) connecting → listening → (lost) connecting → … → (close) closed. One loop does it all; `#turn` is the attempt under way.
 */
export class PgListener {
  readonly #channels = new Map<string, Set<OnNotify>>();
  readonly #listened = new Set<string>();
  readonly #closing = new AbortController();
  #client: Client | undefined;
  #loop: Promise<void> | undefined;
  #turn: PromiseWithResolvers = promise();
  #statements: Promise<void> = Promise.resolve();

  constructor(
    private readonly makeClient: () => Client,
    private readonly clock: Clock,
    private readonly logger: TidingsLogger,
    private readonly heartbeatMs = HEARTBEAT_MS,
  ) {}

  /**
   * Resolves when the server listens; or, while it is away, after one failed attempt: then the callback gets `undefined` as soon as it is back, so
   * that nothing is missed either way. Several callbacks of a channel each get every notification.
   */
  async listen(channel: string, onNotify: OnNotify): Promise<Closeable> {
    const callbacks = this.#channels.get(channel) ?? new Set();
    this.#channels.set(channel, callbacks.add(onNotify));
    this.#loop ??= this.#run();
    await this.#turn.promise;
    await this.#align();
    return {
      close: async () => {
        callbacks.delete(onNotify);
        if (callbacks.size > 0 || this.#channels.get(channel) !== callbacks) return;
        this.#channels.delete(channel);
        await this.#align();
      },
    };
  }

  /** Safe twice. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#client?.end().catch(() => undefined);
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    let delayMs = FIRST_DELAY_MS;
    while (!signal.aborted) {
      const client = this.makeClient();
      const lost = promise();
      client.once('end', lost.resolve);
      client.on('error', lost.resolve);
      client.on('notification', ({ channel, payload }) => this.#notify(channel, payload ?? ''));
      try {
        await client.connect();
        this.#client = client;
        this.#listened.clear();
        await this.#align();
        delayMs = FIRST_DELAY_MS;
        for (const channel of this.#channels.keys()) this.#notify(channel, undefined);
        this.#turn.resolve();
        if (!signal.aborted) await this.#untilLost(client, lost.promise);
      } catch (thrown) {
        if (!signal.aborted)
          this.logger.warn({ err: asError(thrown), delayMs }, 'could not listen to the database; trying again');
      }
      this.#client = undefined;
      this.#turn.resolve();
      // Not awaited: ending a connection whose peer is gone can take the kernel minutes.
      void client.end().catch(() => undefined);
      if (signal.aborted) break;
      this.#turn = promise();
      await this.clock.wait(delayMs * (0.75 + Math.random() / 2), signal);
      delayMs = Math.min(MAX_DELAY_MS, delayMs * 2);
    }
    this.#turn.resolve();
  }

  /**
   * A half-open connection neither speaks nor ends, and whatever is in between may go on answering the kernel's probes. So the server is asked now
   * and then, and the connection given up when it does not answer within the same time.
   */
  async #untilLost(client: Client, lost: Promise<void>): Promise<void> {
    const over = new AbortController();
    void lost.then(() => over.abort());
    for (;;) {
      await this.clock.wait(this.heartbeatMs, over.signal);
      if (over.signal.aborted) return;
      const asked = new AbortController();
      const answer = client.query(askForLife.text).then(
        () => true,
        () => false,
      );
      const late = this.clock.wait(this.heartbeatMs, asked.signal).then(() => false);
      const alive = await Promise.race([answer, late, lost.then(() => false)]);
      asked.abort();
      if (alive) continue;
      if (!over.signal.aborted)
        this.logger.warn({}, 'the listening database connection does not answer; making another');
      return;
    }
  }

  /** Makes the server's set of channels ours, one statement at a time. A failure is a lost connection: the loop mends it. */
  #align(): Promise<void> {
    this.#statements = this.#statements.then(async () => {
      const client = this.#client;
      if (!client) return;
      try {
        for (const channel of this.#channels.keys()) {
          if (this.#listened.has(channel)) continue;
          await client.query(`listen ${quoted(channel)}`);
          this.#listened.add(channel);
        }
        for (const channel of this.#listened) {
          if (this.#channels.has(channel)) continue;
          await client.query(`unlisten ${quoted(channel)}`);
          this.#listened.delete(channel);
        }
      } catch (thrown) {
        this.logger.warn({ err: asError(thrown) }, 'the listening database connection failed');
        void client.end().catch(() => undefined);
      }
    });
    return this.#statements;
  }

  #notify(channel: string, payload: string | undefined): void {
    for (const onNotify of this.#channels.get(channel) ?? []) {
      try {
        onNotify(payload);
      } catch (thrown) {
        this.logger.error({ err: asError(thrown), channel }, 'a callback for a notification threw');
      }
    }
  }
}

interface PromiseWithResolvers {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

/** Node 20 has no Promise.withResolvers. */
function promise(): PromiseWithResolvers {
  let resolve = (): void => undefined;
  const made = new Promise<void>((done) => (resolve = done));
  return { promise: made, resolve: () => resolve() };
}
