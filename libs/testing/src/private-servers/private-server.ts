/** A server of a spec's own, started from this machine's programs: it may be stopped and broken in any way, for nobody else uses it. */
export interface PrivateServer {
  /** The same from start to start. */
  readonly url: string;
  /** Where this server listens in place of a port beside the address's that its clients take for granted. Left out: it has none. */
  portOf?(usual: number): number;
  /** Resolves when it answers. With the data it had. */
  start(): Promise<void>;
  /** In order: it says good-bye to its clients. */
  stop(): Promise<void>;
  /** As a crash or a cut power cord would: no client hears anything but the end of its connection. */
  crash(): Promise<void>;
  /** Ends it and deletes its data. Safe twice, also when it never started. */
  remove(): Promise<void>;
}
