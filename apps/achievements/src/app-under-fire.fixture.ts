import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { until } from '@tidings/testing';

const BOOT_MS = 60_000;

/** An app as a process, started again whenever it dies, each time with the next of `lives` added to its environment, and in the end with the last. */
export class AppUnderFire {
  readonly deaths: (string | number | null)[] = [];
  #child: ChildProcess | undefined;
  #port: number | undefined;
  #said = '';
  #ending = false;

  constructor(
    private readonly name: string,
    private readonly env: Readonly<Record<string, string>>,
    private readonly lives: readonly Readonly<Record<string, string>>[],
  ) {
    this.#fork();
  }

  /** Its last lines, for a message. */
  get said(): string {
    return `${this.name} said: ${this.#said.slice(-1_500)}`;
  }

  /** Resolves when the life of that number, from 0, listens. */
  async url(life: number): Promise<string> {
    const there = () => this.deaths.length >= life && this.#port !== undefined;
    await until(`${this.name} lives for the ${life + 1}th time; ${this.said}`, there, { withinMs: BOOT_MS });
    return `http://127.0.0.1:${this.#port}`;
  }

  kill(): void {
    this.#child?.kill('SIGKILL');
  }

  async end(): Promise<void> {
    this.#ending = true;
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  #fork(): void {
    const life = this.lives[Math.min(this.deaths.length, this.lives.length - 1)];
    const child = fork(join(__dirname, '../..', this.name, 'src/main.ts'), {
      execArgv: ['--require', join(__dirname, '../../../libs/testing/register-sources.cjs')],
      env: { ...process.env, LOG_LEVEL: 'warn', NO_COLOR: '1', ...this.env, ...life },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child = child;
    this.#port = undefined;
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => (this.#said += chunk.toString()));
    child.on('message', (message: { port?: number }) => (this.#port = message.port));
    child.once('exit', (code, signal) => {
      if (this.#ending) return;
      this.deaths.push(signal ?? code);
      this.#port = undefined;
      this.#fork();
    });
  }
}
