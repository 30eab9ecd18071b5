import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { TidingsError } from '@tidings/core';
import { until } from '../until';

/**
 * Runs the program in the shell's process group. The whole group ends with the program, and when descriptor 3 closes: when the process that started
 * it is gone, however it went. A signal to the group interrupts the shell's `wait` and does not end it.
 */
const GUARDED = `
trap : INT QUIT TERM
"$@" 3<&- &
program=$!
{ cat <&3 >/dev/null; kill -KILL 0; } &
while kill -0 "$program" 2>/dev/null; do wait "$program"; done
kill -KILL 0
`;

export interface ProgramToRun {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  /** Both outputs are appended to it. */
  readonly logFile: string;
}

/** A program and all that it starts, to be ended by one signal. It ends with this process. */
export class ProcessGroup {
  readonly #shell: ChildProcess;

  constructor(private readonly run: ProgramToRun) {
    const log = openSync(run.logFile, 'a');
    this.#shell = spawn('/bin/sh', ['-c', GUARDED, run.program, run.program, ...run.args], {
      detached: true,
      stdio: ['ignore', log, log, 'pipe'],
      env: { ...process.env, ...run.env },
      ...run.user,
    });
    closeSync(log);
    this.#shell.once('error', () => undefined); // `until` finds it gone, and tells the log
    this.#shell.unref();
  }

  /** False when every process of the group is gone. */
  get alive(): boolean {
    return this.#signal(0);
  }

  /** Resolves when `condition` holds; rejects with the end of the log when the program ended before. */
  async until(what: string, condition: () => Promise<boolean>, withinMs: number): Promise<void> {
    const holds = async (): Promise<boolean> => {
      if (!this.alive) throw new TidingsError('TIDINGS_TEST_SERVER', `expected ${what}, but it ended: ${this.#log()}`);
      return condition();
    };
    await until(what, holds, { withinMs, everyMs: 50 });
  }

  /** Sends the signal to all of it, and SIGKILL to what is left after `withinMs`. Resolves when nothing is left. Safe twice. */
  async end(signal: NodeJS.Signals, withinMs = 30_000): Promise<void> {
    this.#signal(signal);
    const gone = async (): Promise<boolean> => !this.alive;
    await until(`the end of ${this.run.program}`, gone, { withinMs }).catch(() => this.#signal('SIGKILL'));
    await until(`the end of all that ${this.run.program} started`, gone);
  }

  #signal(signal: NodeJS.Signals | 0): boolean {
    const { pid } = this.#shell;
    if (pid === undefined) return false;
    try {
      return process.kill(-pid, signal);
    } catch {
      return false; // nobody is left
    }
  }

  #log(): string {
    return readFileSync(this.run.logFile, 'utf8').slice(-2_000);
  }
}
