import type { RedisConnection } from './redis-connection';

/** A command that waits at the server, on a connection of its own, and can be told to end. */
export class BlockingCall {
  #id: number | undefined;

  constructor(
    private readonly own: RedisConnection,
    /** By which it is ended: its own waits. */
    private readonly main: RedisConnection,
    private readonly cluster: boolean,
  ) {}

  /** In a cluster nobody can be woken by number: each node counts its own. */
  async run(command: string, args: readonly (string | number)[], signal: AbortSignal): Promise<unknown> {
    const id = this.cluster ? undefined : Number(await this.own.call('CLIENT', ['ID']));
    if (signal.aborted) return null;
    this.#id = id;
    try {
      return await this.own.call(command, args);
    } finally {
      this.#id = undefined;
    }
  }

  /** Ends what waits now, as if its time were over. */
  end(): void {
    if (this.#id !== undefined) void this.main.call('CLIENT', ['UNBLOCK', this.#id]).catch(() => undefined); // it ends by itself
  }
}
