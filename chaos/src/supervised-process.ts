import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '@tidings/core';
import type { Sabotage } from './chaos.options';
import type { ProcessOrders } from './scene';

const RESTART_MS = 200;
const RETIRE_MS = 20_000;

/** One process, started again whenever it dies, until it is retired or killed for good. Its output goes to a file of its own. */
export class SupervisedProcess {
  #child: ChildProcess | undefined;
  #starts = 0;
  #isReady = false;
  #crashes = 0;
  #stalled: ChildProcess | undefined;
  readonly #ending = new AbortController();
  #loop: Promise<void> = Promise.resolve();

  constructor(
    private readonly orders: Omit<ProcessOrders, 'incarnation'>,
    private readonly sabotage?: Sabotage | undefined,
  ) {}

  get name(): string {
    return this.orders.name;
  }

  get starts(): number {
    return this.#starts;
  }

  /** Deaths that no fault explains: it was up, and ended by itself. One that gives up while it starts, its server being away, is none. */
  get crashes(): number {
    return this.#crashes;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  start(): void {
    this.#loop = this.#keepAlive();
  }

  /** SIGKILL; it is started again. False when there was nobody to kill. */
  kill(): boolean {
    return this.#child?.kill('SIGKILL') ?? false;
  }

  /** SIGSTOP, and what undoes it for that process only: its successor, if it is killed meanwhile, must not be touched. */
  pause(): (() => void) | undefined {
    const child = this.#child;
    if (!child?.kill('SIGSTOP')) return undefined;
    this.#stalled = child;
    return () => void child.kill('SIGCONT');
  }

  /** Lets it finish what it does. Killed after 20 s; true when that was not needed. */
  async retire(): Promise<boolean> {
    const child = this.#child;
    this.#ending.abort();
    child?.kill('SIGCONT');
    // One that is still starting listens to its orders only: it has begun nothing.
    if (child?.connected && this.#isReady) child.send('retire');
    else child?.kill('SIGKILL');
    const gone = new AbortController();
    void this.#loop.then(() => gone.abort());
    await systemClock.wait(RETIRE_MS, gone.signal);
    const left = gone.signal.aborted;
    if (!left) child?.kill('SIGKILL');
    await this.#loop;
    return left;
  }

  /** SIGKILL, for good. */
  async end(): Promise<void> {
    this.#ending.abort();
    this.#child?.kill('SIGKILL');
    this.#stalled?.kill('SIGKILL');
    await this.#loop;
  }

  async #keepAlive(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      await this.#live();
      await systemClock.wait(RESTART_MS, signal);
    }
  }

  async #live(): Promise<void> {
    const { folder, name } = this.orders;
    const output = openSync(join(folder, `${name}.log`), 'a');
    // A process group of its own: a Ctrl-C in the terminal reaches the supervisor only, which ends the others in order.
    const child = fork(join(__dirname, 'process.js'), {
      stdio: ['ignore', output, output, 'ipc'],
      detached: true,
      env: { ...process.env, NO_COLOR: '1', CHAOS_SABOTAGE: this.sabotage ?? '' },
    });
    closeSync(output);
    this.#child = child;
    const exited = new Promise<void>((resolve) => {
      child.once('exit', (_, signal) => {
        if (this.#isReady && signal !== 'SIGKILL' && !this.#ending.signal.aborted) this.#crashes++;
        resolve();
      });
      child.once('error', () => resolve());
    });
    child.on('message', () => void (this.#isReady = true));
    child.send({ ...this.orders, incarnation: this.#starts++ } satisfies ProcessOrders, () => undefined);
    await exited;
    this.#isReady = false;
    this.#child = undefined;
  }
}
