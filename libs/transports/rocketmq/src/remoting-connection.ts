import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { asError, type Clock, TidingsError } from '@tidings/core';

export interface RemotingAnswer {
  readonly code: number;
  readonly remark: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface RemotingQuestion {
  readonly code: number;
  readonly fields?: Readonly<Record<string, string | number>>;
  readonly body?: Buffer;
}

interface Header {
  readonly code: number;
  readonly opaque: number;
  readonly remark?: string;
  readonly extFields?: Readonly<Record<string, string>>;
}

interface Waiting {
  readonly answer: (answer: RemotingAnswer) => void;
  readonly fail: (error: Error) => void;
}

/** A frame's first four bytes count what follows them; the next four the JSON header, with its kind in the highest byte (0: JSON). */
const LENGTHS = 8;

/**
 * The part of RocketMQ's remoting protocol that administration needs, for the gRPC proxy has none of it: frames of a JSON header and a body, answers
 * told by `opaque` (apache/rocketmq, RemotingCommand). A connection serves a few calls and is closed.
 */
export class RemotingConnection {
  readonly #waiting = new Map<number, Waiting>();
  #opaque = 0;
  #read: Buffer = Buffer.alloc(0);

  private constructor(
    readonly address: string,
    private readonly socket: Socket,
    private readonly clock: Clock,
    private readonly timeoutMs: number,
  ) {
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', (error) => this.#end(error));
    socket.on('close', () => this.#end(new Error('the connection was closed')));
  }

  /** @throws TidingsError `TIDINGS_ROCKETMQ_AWAY` when nobody answers at the address. */
  static async open(address: string, clock: Clock, timeoutMs: number): Promise<RemotingConnection> {
    const colon = address.lastIndexOf(':');
    const socket = connect(Number(address.slice(colon + 1)), address.slice(0, colon));
    const opened = new AbortController();
    try {
      const late = clock.wait(timeoutMs, opened.signal).then(() => {
        if (!opened.signal.aborted) socket.destroy(new Error(`no answer within ${timeoutMs} ms`));
      });
      await once(socket, 'connect');
      opened.abort();
      await late;
      return new RemotingConnection(address, socket, clock, timeoutMs);
    } catch (thrown) {
      opened.abort();
      socket.destroy();
      throw away(address, asError(thrown));
    }
  }

  /** @throws TidingsError `TIDINGS_ROCKETMQ_AWAY` when the connection breaks or no answer comes; whatever code came is an answer. */
  async call({ code, fields = {}, body = Buffer.alloc(0) }: RemotingQuestion): Promise<RemotingAnswer> {
    const opaque = ++this.#opaque;
    const extFields = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]));
    const header = Buffer.from(
      JSON.stringify({
        code,
        flag: 0,
        language: 'OTHER',
        opaque,
        serializeTypeCurrentRPC: 'JSON',
        version: 0,
        extFields,
      }),
    );
    const lengths = Buffer.alloc(LENGTHS);
    lengths.writeUInt32BE(4 + header.length + body.length, 0);
    lengths.writeUInt32BE(header.length, 4);
    const answered = new AbortController();
    const answer = new Promise<RemotingAnswer>((resolve, reject) => {
      this.#waiting.set(opaque, { answer: resolve, fail: reject });
    });
    void this.clock.wait(this.timeoutMs, answered.signal).then(() => {
      this.#waiting.get(opaque)?.fail(away(this.address, new Error(`no answer within ${this.timeoutMs} ms`)));
    });
    this.socket.write(Buffer.concat([lengths, header, body]));
    try {
      return await answer;
    } finally {
      this.#waiting.delete(opaque);
      answered.abort();
    }
  }

  close(): void {
    this.socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#read = Buffer.concat([this.#read, chunk]);
    while (this.#read.length >= LENGTHS) {
      const end = 4 + this.#read.readUInt32BE(0);
      if (this.#read.length < end) return;
      const headerEnd = LENGTHS + (this.#read.readUInt32BE(4) & 0xff_ff_ff);
      const header = JSON.parse(this.#read.toString('utf8', LENGTHS, headerEnd)) as Header;
      const { code, opaque, remark = '', extFields: fields = {} } = header;
      const body = Buffer.from(this.#read.subarray(headerEnd, end));
      this.#read = this.#read.subarray(end);
      this.#waiting.get(opaque)?.answer({ code, remark, fields, body });
    }
  }

  #end(error: Error): void {
    for (const { fail } of this.#waiting.values()) fail(away(this.address, error));
    this.#waiting.clear();
  }
}

const away = (address: string, cause: Error): TidingsError =>
  new TidingsError(
    'TIDINGS_ROCKETMQ_AWAY',
    `rocketmq: expected an answer from ${address}, found ${cause.message}; check that name server and broker can be reached from here, or create topics and groups by hand and set provision: false`,
    { cause },
  );
