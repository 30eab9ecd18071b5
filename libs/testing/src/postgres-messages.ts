/** Cuts a stream of PostgreSQL's protocol (version 3) into its messages: a type byte, four bytes of length, the rest. A start-up message has no type. */
export class MessageReader {
  startup: boolean;
  #rest: Buffer = Buffer.alloc(0);

  constructor({ startup = false }: { readonly startup?: boolean } = {}) {
    this.startup = startup;
  }

  /** The messages that are complete by now. `startup` may be changed between two of them. */
  *read(chunk: Buffer): Generator<Buffer> {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const at = this.startup ? 0 : 1;
      if (this.#rest.length < at + 4) return;
      const end = at + this.#rest.readInt32BE(at);
      if (this.#rest.length < end) return;
      const message = this.#rest.subarray(0, end);
      this.#rest = this.#rest.subarray(end);
      yield message;
    }
  }
}
