import { asError } from '@tidings/core';
import { LocalMember } from './local.member';
import type { MemberOrders } from './member';
import type { SquaresPlace } from './squares.place';

/** What a process tells whoever forked it. */
export type MemberReport =
  | { readonly kind: 'ready' }
  | { readonly kind: 'drawn'; readonly sumOfSquares: string }
  | { readonly kind: 'heard'; readonly sum: string }
  | { readonly kind: 'failed'; readonly problem: string };

const tell = (report: MemberReport): Promise<void> =>
  new Promise((resolve) => {
    if (process.send) process.send(report, () => resolve());
    else resolve();
  });

async function take(orders: MemberOrders<SquaresPlace>): Promise<void> {
  const member = new LocalMember(orders, true);
  await member.start();
  process.once('message', () => void draw(member));
  await tell({ kind: 'ready' });
  const { heard, problem } = await member.left;
  if (heard !== undefined) await tell({ kind: 'heard', sum: heard });
  if (problem !== undefined) throw new Error(problem);
}

async function draw(member: LocalMember): Promise<void> {
  await member.draw().then((sumOfSquares) => tell({ kind: 'drawn', sumOfSquares }), fail);
}

async function fail(thrown: unknown): Promise<never> {
  await tell({ kind: 'failed', problem: asError(thrown).message });
  process.exit(1);
}

process.once('message', (orders: MemberOrders<SquaresPlace>) => {
  take(orders).then(() => process.exit(0), fail);
});
process.once('disconnect', () => process.exit(1)); // whoever forked it is gone: leave no orphan
