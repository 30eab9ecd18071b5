import type { Publisher, Transport, TransportHealth } from '@tidings/core';
import { MessagingConfigurationError, namesOf } from '../messaging.errors';

/**
 * The application's transports by name. A process that only writes to outboxes never connects one: it works while the broker is away. Relay and
 * handlers connect at start, a direct publish at its first message.
 */
export class TransportRegistry {
  readonly #inUse = new Set<string>();

  constructor(private readonly transports: Readonly<Record<string, Transport>>) {}

  get names(): readonly string[] {
    return Object.keys(this.transports);
  }

  /** Resolves with the transport, connected. Safe twice and concurrently, as `Transport.connect` is. */
  async connect(name: string): Promise<Transport> {
    const transport = this.transports[name];
    if (!transport) throw unknownTransport('a publish', name, this.names);
    this.#inUse.add(name);
    await transport.connect();
    return transport;
  }

  /** A publisher that connects at its first message; undefined for a name that there is not. */
  publisher(name: string): Publisher | undefined {
    if (!this.names.includes(name)) return undefined;
    return { publish: async (messages) => (await this.connect(name)).publish(messages) };
  }

  /** Of those in use. */
  health(): Readonly<Record<string, TransportHealth>> {
    return Object.fromEntries(Object.entries(this.transports).filter(([name]) => this.#inUse.has(name)).map(([name, t]) => [name, t.health()])); // prettier-ignore
  }

  /** Closes all of them, also when one fails to; rejects with the first failure. */
  async close(): Promise<void> {
    const closed = await Promise.allSettled(Object.values(this.transports).map((transport) => transport.close()));
    for (const result of closed) if (result.status === 'rejected') throw result.reason;
  }
}

export const unknownTransport = (
  subject: string,
  name: string,
  names: readonly string[],
): MessagingConfigurationError =>
  new MessagingConfigurationError(
    subject,
    `expected a transport of messaging.transports (${namesOf(names)}), found "${name}"`,
  );
