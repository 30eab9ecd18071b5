import { TRANSPORT_NAMES, type TransportName } from '@tidings/brokers';
import { Command, InvalidArgumentError, Option } from 'commander';

export type SquaresTransport = 'memory' | TransportName;

export interface SquaresOptions {
  readonly transport: SquaresTransport;
  /** Numbers to draw. */
  readonly count: number;
  /** Processes that square them. */
  readonly squarers: number;
  /** Whoever has not left by then is killed, and the run has failed. */
  readonly withinMs: number;
}

const number =
  (from: number, to: number) =>
  (text: string): number => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= from && value <= to) return value;
    throw new InvalidArgumentError(`expected a whole number from ${from} to ${to}.`);
  };

/** Reads the command line; prints the usage and leaves when it makes no sense. */
export function squaresOptions(args: readonly string[]): SquaresOptions {
  const { transport, count, squarers, within } = new Command('npm run squares --')
    .description('Random numbers, their squares, the sum: over two queues, and a broadcast that ends every process.')
    .addOption(
      new Option('--transport <name>', 'what carries the messages')
        .choices(['memory', ...TRANSPORT_NAMES])
        .default('memory'),
    )
    .option('--count <n>', 'numbers to draw', number(1, 1_000_000), 1_000)
    .option('--squarers <n>', 'processes that square', number(1, 16), 2)
    .option('--within <seconds>', 'give up after so long', number(1, 86_400), 180)
    .showHelpAfterError('(--help shows the options)')
    .parse([...args], { from: 'user' })
    .opts<{ transport: SquaresTransport; count: number; squarers: number; within: number }>();
  return { transport, count, squarers, withinMs: within * 1_000 };
}
