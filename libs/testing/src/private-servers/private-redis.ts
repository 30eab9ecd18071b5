import { join } from 'node:path';
import { firstAnswer } from './first-answer';
import { freePort } from './free-port';
import { privateFolder, removeFolder } from './private-folder';
import type { PrivateServer } from './private-server';
import { ProcessGroup } from './process-group';

const START_WITHIN_MS = 30_000;
const PING = Buffer.from('PING\r\n');

/** A Redis that writes each command to its append-only file: what it answered survives its crash. */
export class PrivateRedis implements PrivateServer {
  #group: ProcessGroup | undefined;
  readonly #folder = privateFolder('redis');

  private constructor(
    private readonly program: string,
    private readonly port: number,
  ) {}

  static async of(programs: { readonly 'redis-server': string }): Promise<PrivateRedis> {
    const server = new PrivateRedis(programs['redis-server'], await freePort());
    try {
      await server.start();
    } catch (thrown) {
      await server.remove();
      throw thrown;
    }
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const settings = ['--bind', '127.0.0.1', '--dir', this.#folder, '--appendonly', 'yes', '--save', ''];
    this.#group = new ProcessGroup({
      program: this.program,
      args: ['--port', String(this.port), ...settings],
      logFile: join(this.#folder, 'log'),
    });
    const answers = async (): Promise<boolean> => (await firstAnswer(this.port, PING))?.toString() === '+PONG\r\n';
    await this.#group.until('a private Redis', answers, START_WITHIN_MS);
  }

  async stop(): Promise<void> {
    await this.#group?.end('SIGTERM');
  }

  async crash(): Promise<void> {
    await this.#group?.end('SIGKILL');
  }

  async remove(): Promise<void> {
    await this.crash();
    removeFolder(this.#folder);
  }
}
