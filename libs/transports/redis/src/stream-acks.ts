import type { RedisConnection } from './redis-connection';

/** Acknowledges what one turn of the event loop has settled with one XACK for each stream. */
export class StreamAcks {
  readonly #accepted = new Map<string, string[]>();
  #written: Promise<void> | undefined;

  constructor(
    private readonly connection: RedisConnection,
    private readonly base: string,
    private readonly group: string,
  ) {}

  /** Resolves when Redis has it; rejects when that is not known. Acknowledging twice is harmless. */
  ack(suffix: string, id: string): Promise<void> {
    const ids = this.#accepted.get(suffix);
    if (ids) ids.push(id);
    else this.#accepted.set(suffix, [id]);
    return (this.#written ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => this.#write()));
  }

  async #write(): Promise<void> {
    const accepted = [...this.#accepted];
    this.#accepted.clear();
    this.#written = undefined;
    await Promise.all(accepted.map(([suffix, ids]) => this.#acknowledge(suffix, ids)));
  }

  /** In a group's own streams nobody else needs the entry. */
  async #acknowledge(suffix: string, ids: readonly string[]): Promise<void> {
    const stream = `${this.base}:${suffix}`;
    const done = [this.connection.call('XACK', [stream, this.group, ...ids])];
    if (suffix.startsWith('g:')) done.push(this.connection.call('XDEL', [stream, ...ids]));
    await Promise.all(done);
  }
}
