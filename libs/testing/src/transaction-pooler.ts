import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { MessageReader } from './postgres-messages';

const SSL_REQUEST = 80_877_103;

/** How the pooler takes start-up parameters that it does not know: PgBouncer refuses them, or is told to drop them (`ignore_startup_parameters`). */
export type UnknownParameters = 'refuse' | 'drop';

const KNOWN = new Set(['user', 'database', 'client_encoding', 'application_name', 'DateStyle', 'TimeZone']);

interface Backend {
  readonly socket: Socket;
  readonly parameters: Buffer[];
  client: PooledClient | undefined;
}

interface PooledClient {
  readonly socket: Socket;
  backend: Backend | undefined;
  /** What it sent while it waited for a backend. */
  readonly unsent: Buffer[];
}

/**
 * A pooler in transaction mode, on PostgreSQL's own protocol, as far as PgBouncer goes without support for prepared statements: each transaction is
 * handed to another server connection than the one before. Needs a server that trusts the address's user, and no TLS.
 */
export class TransactionPooler {
  readonly #idle: Backend[] = [];
  readonly #backends = new Set<Backend>();
  readonly #waiting: PooledClient[] = [];
  readonly #clients = new Set<Socket>();
  readonly #server: Server = createServer((socket) => this.#accept(socket));
  /** Calls the client's connection dead instead of passing on this command's answer, once. */
  cutAtAnswer: string | undefined;

  private constructor(
    private readonly target: URL,
    private readonly unknown: UnknownParameters,
  ) {}

  /** @param backends Server connections: 2 at least, for a transaction to find another one. */
  static async start(
    url: string,
    { backends = 2, unknown = 'refuse' }: { backends?: number; unknown?: UnknownParameters } = {},
  ): Promise<TransactionPooler> {
    const pooler = new TransactionPooler(new URL(url), unknown);
    for (let n = 0; n < backends; n++) await pooler.#open();
    pooler.#server.listen(0, '127.0.0.1');
    await once(pooler.#server, 'listening');
    return pooler;
  }

  get url(): string {
    const url = new URL(this.target);
    url.hostname = '127.0.0.1';
    url.port = String((this.#server.address() as AddressInfo).port);
    return url.href;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#clients) socket.destroy();
    for (const { socket } of this.#backends) socket.destroy();
    await closed;
  }

  async #open(): Promise<void> {
    const socket = connect(Number(this.target.port || 5432), this.target.hostname).setNoDelay();
    const backend: Backend = { socket, parameters: [], client: undefined };
    const reader = new MessageReader();
    const ready = new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.on('data', (chunk: Buffer) => {
        for (const message of reader.read(chunk)) this.#fromServer(backend, message, resolve);
      });
    });
    socket.on('close', () => {
      this.#backends.delete(backend);
      backend.client?.socket.destroy();
    });
    await once(socket, 'connect');
    socket.write(startup({ user: this.target.username, database: this.target.pathname.slice(1) }));
    this.#backends.add(backend);
    await ready;
  }

  #fromServer(backend: Backend, message: Buffer, ready: () => void): void {
    const type = String.fromCharCode(message[0]!);
    const idle = type === 'Z' && message[5] === 'I'.charCodeAt(0);
    const { client } = backend;
    if (!client) {
      if (type === 'S') backend.parameters.push(message);
      if (idle) {
        ready();
        this.#release(backend);
      }
      return;
    }
    if (type === 'C' && this.cutAtAnswer === message.toString('utf8', 5, message.length - 1)) {
      this.cutAtAnswer = undefined;
      client.socket.destroy();
      return;
    }
    client.socket.write(message);
    if (idle) {
      client.backend = undefined;
      backend.client = undefined;
      this.#release(backend);
    }
  }

  /** Last in, last out: the next transaction gets the connection that has been idle for the longest. */
  #release(backend: Backend): void {
    this.#idle.push(backend);
    const next = this.#waiting.shift();
    if (next) this.#serve(next);
  }

  #serve(client: PooledClient): void {
    const backend = this.#idle.shift();
    if (!backend) return void this.#waiting.push(client);
    backend.client = client;
    client.backend = backend;
    for (const message of client.unsent.splice(0)) backend.socket.write(message);
  }

  #accept(socket: Socket): void {
    this.#clients.add(socket.setNoDelay());
    const client: PooledClient = { socket, backend: undefined, unsent: [] };
    const reader = new MessageReader({ startup: true });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#clients.delete(socket);
      const waiting = this.#waiting.indexOf(client);
      if (waiting >= 0) this.#waiting.splice(waiting, 1);
      if (!client.backend) return;
      // In the middle of a transaction: nobody may inherit it.
      client.backend.client = undefined;
      client.backend.socket.destroy();
      void this.#open().catch(() => undefined);
    });
    socket.on('data', (chunk: Buffer) => {
      for (const message of reader.read(chunk)) this.#fromClient(client, message, reader);
    });
  }

  #fromClient(client: PooledClient, message: Buffer, reader: MessageReader): void {
    if (reader.startup) {
      if (message.readInt32BE(4) === SSL_REQUEST) return void client.socket.write('N');
      reader.startup = false;
      return this.#greet(client.socket, message);
    }
    if (message[0] === 'X'.charCodeAt(0)) return void client.socket.end();
    if (client.backend) return void client.backend.socket.write(message);
    client.unsent.push(message);
    if (client.unsent.length === 1 && !this.#waiting.includes(client)) this.#serve(client);
  }

  #greet(socket: Socket, startupMessage: Buffer): void {
    const names = startupMessage
      .toString('utf8', 8)
      .split('\0')
      .filter((_, index) => index % 2 === 0 && _ !== '');
    const foreign = names.find((name) => !KNOWN.has(name));
    if (foreign !== undefined && this.unknown === 'refuse') {
      const fields = `SFATAL\0C08P01\0Munsupported startup parameter: ${foreign}\0\0`;
      return void socket.end(framed('E', Buffer.from(fields)));
    }
    const [some] = this.#backends;
    const key = Buffer.alloc(8, 1); // made up, as PgBouncer does: it stands for no server connection
    const parts = [
      framed('R', Buffer.alloc(4)),
      ...(some?.parameters ?? []),
      framed('K', key),
      framed('Z', Buffer.from('I')),
    ];
    socket.write(Buffer.concat(parts));
  }
}

function framed(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type, 0);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

function startup(parameters: Readonly<Record<string, string>>): Buffer {
  const body = Buffer.from(`${Object.entries(parameters).flat().join('\0')}\0\0`);
  const head = Buffer.alloc(8);
  head.writeInt32BE(body.length + 8, 0);
  head.writeInt32BE(196_608, 4); // protocol 3.0
  return Buffer.concat([head, body]);
}
