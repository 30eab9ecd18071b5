import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { firstAnswer } from './first-answer';
import { freePort } from './free-port';
import { madeAndStarted } from './made-and-started';
import { type FolderOwner, privateFolder, removeFolder, userNamed } from './private-folder';
import type { PrivateServer } from './private-server';
import { ProcessGroup } from './process-group';
import { runToEnd } from './run-to-end';

const START_WITHIN_MS = 60_000;

// A crash here is the death of processes, which the system's cache outlives: fsync would prove nothing and cost seconds.
const SETTINGS = `
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = off
max_connections = 100
`;

/** A start-up message of protocol 3.0 for user and database `postgres`. */
const STARTUP = (() => {
  const body = Buffer.concat([Buffer.from([0, 3, 0, 0]), Buffer.from('user\0postgres\0\0')]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length + 4);
  return Buffer.concat([length, body]);
})();
/** The type of the first message of a server that lets us in; while it starts or stops it is an error. */
const AUTHENTICATION = 'R'.charCodeAt(0);

/** A cluster with the database `postgres`, trusted on this machine only. */
export class PrivatePostgres implements PrivateServer {
  #group: ProcessGroup | undefined;

  private constructor(
    private readonly programs: { readonly postgres: string; readonly initdb: string },
    private readonly folder: string,
    private readonly user: FolderOwner | undefined,
    private readonly port: number,
  ) {}

  /** Made and started. */
  static async of(programs: { readonly postgres: string; readonly initdb: string }): Promise<PrivatePostgres> {
    const user = userNamed('postgres'); // it does not run as root
    const server = new PrivatePostgres(programs, privateFolder('postgres', user), user, await freePort());
    return madeAndStarted(server, () => server.#make());
  }

  get url(): string {
    return `postgres://postgres@127.0.0.1:${this.port}/postgres`;
  }

  async start(): Promise<void> {
    this.#group = new ProcessGroup({
      program: this.programs.postgres,
      args: ['-D', this.#data, '-p', String(this.port)],
      user: this.user,
      logFile: join(this.folder, 'log'),
    });
    const answers = async (): Promise<boolean> => (await firstAnswer(this.port, STARTUP))?.[0] === AUTHENTICATION;
    await this.#group.until('a private PostgreSQL', answers, START_WITHIN_MS);
  }

  /** A fast shutdown: transactions are rolled back, clients are told. */
  async stop(): Promise<void> {
    await this.#group?.end('SIGINT');
  }

  /** An immediate shutdown: the next start recovers. */
  async crash(): Promise<void> {
    await this.#group?.end('SIGQUIT');
  }

  async remove(): Promise<void> {
    await this.crash();
    removeFolder(this.folder);
  }

  get #data(): string {
    return join(this.folder, 'data');
  }

  async #make(): Promise<void> {
    const { user } = this;
    const args = ['-D', this.#data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync'];
    await runToEnd({ program: this.programs.initdb, args, user, cwd: this.folder });
    appendFileSync(join(this.#data, 'postgresql.conf'), SETTINGS);
  }
}
