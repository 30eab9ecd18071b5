import { type ChildProcess, fork, type Serializable } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { until } from '@tidings/testing';

/**
 * Processes that run one fixture file from the sources, kept at their number: one that dies is replaced, by one that has loaded them already. To load
 * them takes half a minute on a busy machine, and a spec in which five die after each other would wait for it five times.
 */
export class ProcessCrew {
  /** How those died that were not stopped. */
  readonly deaths: (number | string | null)[] = [];
  readonly #children = new Set<ChildProcess>();
  readonly #ready = new Set<ChildProcess>();
  /** Has no orders yet. */
  #spare: ChildProcess | undefined;
  #said = '';
  #ending = false;

  /** `orders` are the first message that a process gets; it answers when it is ready. */
  constructor(
    private readonly file: string,
    private readonly orders: Serializable & object,
    private readonly execArgv: readonly string[] = [],
  ) {}

  /** Resolves when all of them are ready. */
  async start(count: number): Promise<void> {
    for (let n = 0; n < count; n++) this.#begin();
    await this.complete();
  }

  /** Resolves when whoever was to replace a dead one is ready. */
  async complete(): Promise<void> {
    const all = (): boolean => [...this.#children].every((child) => this.#ready.has(child));
    await until(`the processes; ${this.said}`, all, { withinMs: 60_000, everyMs: 50 });
  }

  /** The end of what the processes wrote to stderr. */
  get said(): string {
    return `a process said: ${this.#said.slice(-2_000)}`;
  }

  /** To all; one that just died hears nothing. */
  tell(words: Serializable & object): void {
    for (const child of this.#children) if (child.connected) child.send(words, () => undefined);
  }

  /** To all of them: SIGSTOP suspends, SIGCONT lets go on. */
  signal(signal: NodeJS.Signals): void {
    for (const child of this.#children) child.kill(signal);
  }

  async end(): Promise<void> {
    this.#ending = true;
    for (const child of [...this.#children, ...(this.#spare ? [this.#spare] : [])]) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }

  #begin(): void {
    const child = this.#spare?.connected ? this.#spare : this.#load();
    this.#children.add(child);
    child.once('message', () => this.#ready.add(child));
    child.once('exit', (code, signal) => {
      if (this.#ending) return;
      this.#children.delete(child);
      this.deaths.push(signal ?? code);
      this.tell({}); // whoever lives on is doomed no more
      this.#begin();
    });
    child.send(this.orders);
    this.#spare = this.#load();
  }

  #load(): ChildProcess {
    const sources = ['--require', join(__dirname, '../../testing/register-sources.cjs')];
    const child = fork(this.file, {
      execArgv: [...sources, ...this.execArgv],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    child.stderr?.on('data', (chunk: Buffer) => (this.#said += chunk.toString('utf8')));
    return child;
  }
}
