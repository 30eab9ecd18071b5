import { type ChildProcess, fork } from 'node:child_process';
import { extname, join } from 'node:path';
import { type Subscription, TidingsError } from '@tidings/core';
import { until } from '../until';
import type { ProcessTransport } from './harness';
import type { Held, HeldConsumerReport } from './held-consumer';

/**
 * A consumer in another operating-system process that takes deliveries, tells of them, and settles none: to be killed. It runs the built files
 * when this is a built file, and else the sources, through the same compiler as the specs: never yesterday's build.
 */
export class ConsumerProcess {
  readonly taken: Held[] = [];
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  #ready = false;
  #failure = '';

  constructor({ module, factory, options }: ProcessTransport, subscription: Subscription) {
    const fromSources = extname(__filename) === '.ts';
    this.#child = fork(join(__dirname, `held-consumer${extname(__filename)}`), {
      execArgv: fromSources ? ['--require', join(__dirname, '../../register-sources.cjs')] : [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#exited = new Promise((resolve) => this.#child.once('exit', () => resolve()));
    this.#child.stderr?.on('data', (chunk: Buffer) => (this.#failure += chunk.toString('utf8')));
    this.#child.on('message', (report: HeldConsumerReport) => {
      if ('ready' in report) this.#ready = true;
      else this.taken.push(report.held);
    });
    this.#child.send({
      module,
      factory,
      options: typeof options === 'function' ? (options as () => object)() : options,
      subscription,
    });
  }

  get ids(): string[] {
    return this.taken.map(({ id }) => id);
  }

  /** Resolves when the consumer has subscribed. */
  async ready(): Promise<void> {
    const state = (): boolean => {
      if (this.#child.exitCode === null) return this.#ready;
      throw new TidingsError(
        'TIDINGS_TEST_PROCESS',
        `the consumer's process ended with ${this.#child.exitCode}: ${this.#failure}`,
      );
    };
    await until('a consumer in another process', state, { withinMs: 20_000 });
  }

  async took(count: number): Promise<void> {
    await until(`${count} deliveries in another process`, () => this.taken.length >= count, { withinMs: 15_000 });
  }

  /** SIGKILL: no handler of any kind runs there. Resolves when the process is gone. Safe twice. */
  async kill(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL');
    await this.#exited;
  }
}
