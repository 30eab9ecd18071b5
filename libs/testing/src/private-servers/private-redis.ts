import { join } from 'node:path';
import { TidingsError } from '@tidings/core';
import { firstAnswer } from './first-answer';
import { freePort } from './free-port';
import { madeAndStarted } from './made-and-started';
import { privateFolder, removeFolder } from './private-folder';
import type { PrivateServer } from './private-server';
import { ProcessGroup } from './process-group';

const START_WITHIN_MS = 30_000;

export interface RedisPrograms {
  readonly 'redis-server': string;
}

/** A Redis that writes each command to its append-only file: what it answered survives its crash. */
export class PrivateRedis implements PrivateServer {
  #group: ProcessGroup | undefined;
  readonly #folder = privateFolder('redis');

  private constructor(
    private readonly program: string,
    readonly port: number,
    private readonly settings: readonly string[],
  ) {}

  /** `settings` as on redis-server's command line, beside a port and a folder of its own. */
  static async of(programs: RedisPrograms, settings: readonly string[] = []): Promise<PrivateRedis> {
    const server = new PrivateRedis(programs['redis-server'], await freePort(), settings);
    return madeAndStarted(server);
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const durable = ['--bind', '127.0.0.1', '--dir', this.#folder, '--appendonly', 'yes', '--save', ''];
    this.#group = new ProcessGroup({
      program: this.program,
      args: ['--port', String(this.port), ...durable, ...this.settings],
      logFile: join(this.#folder, 'log'),
    });
    const answers = async (): Promise<boolean> => (await this.ask('PING')) === '+PONG\r\n';
    await this.#group.until('a private Redis', answers, START_WITHIN_MS);
  }

  /** What it answers to one line, as Redis writes it; empty when it does not. */
  async ask(line: string): Promise<string> {
    return (await firstAnswer(this.port, Buffer.from(`${line}\r\n`)))?.toString() ?? '';
  }

  /** @throws TidingsError when it answers anything but OK. */
  async tell(line: string): Promise<void> {
    const answer = await this.ask(line);
    if (!answer.startsWith('+OK'))
      throw new TidingsError('TIDINGS_TEST_SERVER', `${line}: expected OK, found ${answer}`);
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
