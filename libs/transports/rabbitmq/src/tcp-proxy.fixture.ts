import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A wire between transports and the broker that a spec can cut, keep cut, or make deaf: what a network does. */
export class TcpProxy {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #down = false;

  private constructor(private readonly target: URL) {
    this.#server = createServer((client) => {
      if (this.#down) return void client.destroy();
      const upstream = connect(Number(this.target.port || 5672), this.target.hostname);
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        from.setNoDelay(true).pipe(to);
        from.on('error', () => undefined).on('close', () => (this.#sockets.delete(from), to.destroy()));
        this.#sockets.add(from);
      }
    });
  }

  static async to(url: string): Promise<TcpProxy> {
    const proxy = new TcpProxy(new URL(url));
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    const url = new URL(this.target);
    url.host = `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return url.href;
  }

  /** Breaks what stands; new connections pass. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Breaks what stands and refuses what comes, until `up`. */
  down(): void {
    this.#down = true;
    this.cut();
  }

  up(): void {
    this.#down = false;
  }

  /** Takes bytes and passes none on: a broker that hangs. */
  freeze(): void {
    for (const socket of this.#sockets) socket.unpipe().pause();
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
