import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  'amqp:': 5672,
  'kafka:': 9092,
  'postgres:': 5432,
  'redis:': 6379,
};

/** The wire between a process and a server, to be cut, held down or made deaf. Neither end learns why. */
export class TcpProxy {
  readonly #sockets = new Set<Socket>();
  readonly #deaf = new WeakSet<Socket>();
  readonly #answering = new Set<Socket>();
  readonly #server: Server;
  #down = false;
  #stalled = false;

  private constructor(private readonly target: URL) {
    const port = Number(target.port || DEFAULT_PORTS[target.protocol]);
    this.#server = createServer((client) => {
      if (this.#down) return void client.destroy();
      const upstream = connect(port, target.hostname);
      this.#answering.add(upstream);
      upstream.once('close', () => this.#answering.delete(upstream));
      this.#pass(client, upstream);
      this.#pass(upstream, client);
    });
  }

  /** At a port of its own, unless clients are told by the server to come to the server's. */
  static async to(url: string, { host = '127.0.0.1', port = 0 } = {}): Promise<TcpProxy> {
    const proxy = new TcpProxy(new URL(url));
    proxy.#server.listen(port, host);
    await once(proxy.#server, 'listening');
    return proxy;
  }

  /** The server's address by way of this proxy. */
  get url(): string {
    const url = new URL(this.target);
    const { address, port } = this.#server.address() as AddressInfo;
    url.host = `${address}:${port}`;
    return url.href;
  }

  /** Connections that stand. */
  get connections(): number {
    return this.#sockets.size / 2;
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

  /** Half-open: what stands passes nothing any more and does not end; new connections pass. */
  freeze(): void {
    for (const socket of this.#sockets) {
      this.#deaf.add(socket);
      socket.pause();
    }
  }

  /** What is asked on standing connections still arrives; what is answered there does not, until `up`. New connections pass. */
  mute(): void {
    for (const socket of this.#answering) {
      this.#deaf.add(socket);
      socket.pause();
    }
  }

  /** As `freeze`, and new connections pass nothing either, until `up`: a network that hangs. */
  stall(): void {
    this.#stalled = true;
    this.freeze();
  }

  /** Passes everything again, also what it held back. */
  up(): void {
    this.#down = false;
    this.#stalled = false;
    for (const socket of this.#sockets) {
      this.#deaf.delete(socket);
      socket.resume();
    }
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
    to.on('drain', () => void (this.#deaf.has(from) || from.resume()));
    from.on('end', () => to.end());
    from.on('error', () => undefined);
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
    if (!this.#stalled) return;
    this.#deaf.add(from);
    from.pause();
  }
}
