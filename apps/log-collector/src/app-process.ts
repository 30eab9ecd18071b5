import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { TidingsError } from '@tidings/core';
import type { ProcessOrders, ProcessReport } from './process';
import type { WindowCount } from './window-counts';

const LEAVE_MS = 20_000;

/** One process of a run. */
export class AppProcess {
  readonly #child: ChildProcess;
  readonly #gone: Promise<unknown>;
  /** Resolves when it publishes or collects; rejects when it ends before. */
  readonly ready: Promise<void>;
  /** A site's: what it had confirmed. Rejects when it ends before. */
  readonly sent: Promise<readonly WindowCount[]>;

  constructor(orders: ProcessOrders) {
    this.#child = fork(join(__dirname, 'process.js'), [JSON.stringify(orders)]);
    this.#gone = once(this.#child, 'exit');
    const said = <Part>(pick: (report: ProcessReport) => Part | undefined): Promise<Part> =>
      new Promise((resolve, reject) => {
        this.#child.on('message', (report: ProcessReport) => {
          const part = pick(report);
          if (part !== undefined) resolve(part);
        });
        this.#child.once('exit', () =>
          reject(new TidingsError('LOGS_PROCESS', `${orders.name} ended: see its output`)),
        );
      });
    this.ready = said((report) => ('ready' in report ? report.ready : undefined)).then(() => undefined);
    this.sent = said((report) => ('sent' in report ? report.sent : undefined));
    for (const promise of [this.ready, this.sent]) promise.catch(() => undefined); // whoever awaits it hears of it
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#gone;
  }

  /** In order; killed when that takes too long. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), LEAVE_MS);
    await this.#gone;
    clearTimeout(timer);
  }
}
