import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** The wire between the run's processes and a server, to be cut, held down or stalled. The server behind it never learns why. */
export class TcpProxy {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #down = false;
  #stalled = false;

  private constructor(
    private readonly target: URL,
    private readonly port: number,
  ) {
    this.#server = createServer((client) => {
      if (this.#down) return void client.destroy();
      const upstream = connect(this.port, this.target.hostname);
      this.#pass(client, upstream);
      this.#pass(upstream, client);
    });
  }

  /** `defaultPort` for an address without one. */
  static async to(url: string, defaultPort: number): Promise<TcpProxy> {
    const target = new URL(url);
    const proxy = new TcpProxy(target, Number(target.port || defaultPort));
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  /** The server's address by way of this proxy. */
  get url(): string {
    const url = new URL(this.target);
    url.host = `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return url.href;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  down(): void {
    this.#down = true;
    this.cut();
  }

  stall(): void {
    this.#stalled = true;
    for (const socket of this.#sockets) socket.pause();
  }

  /** Passes everything again, also what it held back. */
  heal(): void {
    this.#down = false;
    this.#stalled = false;
    for (const socket of this.#sockets) socket.resume();
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  // Not pipe(): it would resume a paused socket by itself when the other side drains.
  #pass(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.setNoDelay(true);
    from.on('data', (chunk) => void (to.write(chunk) || from.pause()));
    to.on('drain', () => void (this.#stalled || from.resume()));
    from.on('end', () => to.end());
    from.on('error', () => undefined);
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
    if (this.#stalled) from.pause();
  }
}
