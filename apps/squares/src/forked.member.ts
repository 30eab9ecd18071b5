import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { TidingsError } from '@tidings/core';
import type { Departure, Member, MemberOrders } from './member';
import type { MemberReport } from './member.process';
import type { SquaresPlace } from './squares.place';

/** A member in a process of its own. It counts as having left by the broadcast when it has heard it, closed, and exited with 0. */
export class ForkedMember implements Member {
  readonly left: Promise<Departure>;
  readonly #child: ChildProcess;
  readonly #reports: MemberReport[] = [];
  #wake: () => void = () => undefined;

  constructor(private readonly orders: MemberOrders<SquaresPlace>) {
    this.#child = fork(join(__dirname, 'member.process.js'), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: [],
      detached: true, // a Ctrl-C in the terminal reaches the run, which then ends its members
    });
    this.#child.on('message', (report: MemberReport) => {
      this.#reports.push(report);
      this.#wake();
    });
    this.left = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve({ heard: undefined, problem: error.message }));
      this.#child.once('exit', (code, signal) => resolve(this.#departure(signal ?? `exit code ${code}`)));
    });
  }

  get name(): string {
    return this.orders.name;
  }

  async start(): Promise<void> {
    this.#child.send(this.orders);
    await this.#report('ready');
  }

  async draw(): Promise<string> {
    this.#child.send('draw');
    return (await this.#report('drawn')).sumOfSquares;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** Rejects when it fails, or goes, before it says so. */
  async #report<Kind extends MemberReport['kind']>(kind: Kind): Promise<Extract<MemberReport, { kind: Kind }>> {
    let gone: Departure | undefined;
    void this.left.then((departure) => {
      gone = departure;
      this.#wake();
    });
    for (;;) {
      const found = this.#reports.find((report) => report.kind === kind);
      if (found) return found as Extract<MemberReport, { kind: Kind }>;
      if (gone) {
        const problem = gone.problem ?? 'nothing but its end';
        throw new TidingsError('SQUARES_MEMBER', `${this.name}: expected to be ${kind}, found ${problem}`);
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #departure(how: string): Departure {
    const heard = this.#reports.find((report) => report.kind === 'heard')?.sum;
    const failure = this.#reports.find((report) => report.kind === 'failed')?.problem;
    return { heard, problem: failure ?? (how === 'exit code 0' ? undefined : how) };
  }
}
