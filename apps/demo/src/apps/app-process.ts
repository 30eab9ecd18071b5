import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type Clock, systemClock, TidingsError } from '@tidings/core';

export interface AppProcessOptions {
  readonly name: string;
  /** The app's built main file. */
  readonly entry: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Added to `env` for the first start only: a fault that the restarted app must not repeat. */
  readonly firstEnv?: Readonly<Record<string, string>>;
  /** Default 30,000: five apps start at once, on two cores. */
  readonly readyWithinMs?: number;
  /** How long `stop` waits before it kills. Default 10,000. */
  readonly drainMs?: number;
  readonly print: (line: string) => void;
  readonly clock?: Clock;
}

/** An app did not come up the first time: a mistake of configuration, which no restart mends. */
export class AppStartError extends TidingsError {
  constructor(
    readonly app: string,
    found: string,
  ) {
    super('DEMO_APP_START', `${app}: expected to be ready, found that it ${found}; its last lines above tell why`);
  }
}

const FIRST_BACK_OFF_MS = 250;
const LONGEST_BACK_OFF_MS = 5_000;

/**
 * One forked app, kept alive.
 *
 * stopped → starting → ready → (it dies) → waiting → starting …; `stop` and `kill` lead from every state to stopped.
 * The child gets a process group of its own: a Ctrl-C in the terminal reaches only the demo, which then stops its apps while their database
 * still runs. Should the demo itself be killed, the child sees its IPC channel close and leaves.
 */
export class AppProcess {
  readonly #clock: Clock;
  #child: ChildProcess | undefined;
  #port: number | undefined;
  #starts = 0;
  #stopping: AbortController | undefined;
  #loop: Promise<void> = Promise.resolve();

  constructor(private readonly options: AppProcessOptions) {
    this.#clock = options.clock ?? systemClock;
  }

  get name(): string {
    return this.options.name;
  }

  /** Where it listens, while it is ready. It may change with each restart. */
  get port(): number | undefined {
    return this.#port;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** How often it was started, the first time included. */
  get starts(): number {
    return this.#starts;
  }

  /** Resolves when the app is ready. @throws AppStartError when its first start fails; later deaths are answered by restarts. */
  async start(): Promise<void> {
    if (this.#stopping) return;
    const stopping = new AbortController();
    this.#stopping = stopping;
    const child = this.#fork();
    const exited = exitOf(child);
    const problem = await this.#notReady(child, exited);
    if (problem !== undefined && !stopping.signal.aborted) {
      this.kill();
      throw new AppStartError(this.name, problem);
    }
    this.#loop = this.#keepAlive(child, exited, stopping.signal);
  }

  /** Asks it to leave, waits `drainMs`, then kills it. Resolves when the process is gone; it cannot be started again. Safe twice, and while it starts. */
  async stop(): Promise<void> {
    const child = this.#end();
    if (child && isAlive(child)) {
      child.kill('SIGTERM');
      const gone = new AbortController();
      void exitOf(child).then(() => gone.abort());
      await this.#clock.wait(this.options.drainMs ?? 10_000, gone.signal);
      if (!gone.signal.aborted) this.options.print(`does not stop; killed`);
      if (isAlive(child)) child.kill('SIGKILL');
    }
    await this.#loop;
  }

  /** SIGKILL, and started again like after any other death. */
  crash(): void {
    this.#child?.kill('SIGKILL');
  }

  /** SIGKILL, for good. */
  kill(): void {
    this.#end()?.kill('SIGKILL');
  }

  #end(): ChildProcess | undefined {
    (this.#stopping ??= new AbortController()).abort();
    this.#port = undefined;
    return this.#child;
  }

  #fork(): ChildProcess {
    const { entry, env, firstEnv, print } = this.options;
    const child = fork(entry, [], {
      env: { ...process.env, ...env, ...(this.#starts === 0 && firstEnv) },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
      execArgv: [],
    });
    this.#starts += 1;
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', print);
    }
    child.on('message', (message: { ready?: boolean; port?: number }) => {
      if (message.ready && this.#child === child && !this.#stopping?.signal.aborted) this.#port = message.port;
    });
    return child;
  }

  /** Why it is not ready, or undefined when it is. */
  async #notReady(child: ChildProcess, exited: Promise<string>): Promise<string | undefined> {
    const withinMs = this.options.readyWithinMs ?? 30_000;
    const settled = new AbortController();
    const ready = new Promise<undefined>((resolve) => {
      child.on('message', (message: { ready?: boolean }) => message.ready && resolve(undefined));
    });
    const late = this.#clock.wait(withinMs, settled.signal).then(() => `was not after ${withinMs} ms`);
    const problem = await Promise.race([ready, exited, late]);
    settled.abort();
    return problem;
  }

  async #keepAlive(first: ChildProcess, firstExit: Promise<string>, signal: AbortSignal): Promise<void> {
    let [child, exited, backOffMs] = [first, firstExit, FIRST_BACK_OFF_MS];
    for (;;) {
      const startedAt = this.#clock.monotonic();
      const how = await exited;
      if (this.#child === child) this.#port = undefined;
      if (signal.aborted) return;
      // An app that lived a while and then died is a new failure, not one more of the same.
      if (this.#clock.monotonic() - startedAt > 2 * LONGEST_BACK_OFF_MS) backOffMs = FIRST_BACK_OFF_MS;
      this.options.print(`${how}; started again in ${backOffMs} ms`);
      await this.#clock.wait(backOffMs, signal);
      if (signal.aborted) return;
      backOffMs = Math.min(LONGEST_BACK_OFF_MS, backOffMs * 2);
      child = this.#fork();
      exited = exitOf(child);
      const problem = await this.#notReady(child, exited);
      if (problem !== undefined) child.kill('SIGKILL');
    }
  }
}

const isAlive = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null;

const exitOf = (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => {
    const tell = (code: number | null, signal: NodeJS.Signals | null): void =>
      resolve(signal ? `was ended by ${signal}` : `left with exit code ${code}`);
    if (isAlive(child)) {
      child.once('exit', tell);
      child.once('error', (error) => resolve(`could not be started: ${error.message}`));
    } else {
      tell(child.exitCode, child.signalCode);
    }
  });
