import {
  accept,
  asError,
  type HandlerDefinition,
  hasSavepoints,
  isSettlement,
  retry,
  type Settlement,
  TidingsError,
  TimeoutError,
  type Transaction,
  TransactionLostError,
} from '@tidings/core';
import type { SharedTransaction, Verdict } from '@tidings/inbox';
import { OtherSettlement } from './batch-run';
import { type BatchMember, heldBack } from './batch-member';
import type { BlockedKeys } from './blocked-keys';
import type { SettleTogether } from './shared-transaction.gate';

/** A copy of what has failed, without an order to keep: it comes again by itself, and finds out what became of the first. */
const COPY_AGAIN_MS = 1_000;

/** Rolls back a transaction in which nothing has succeeded. Never leaves this file. */
class NothingDone extends TidingsError {
  constructor() {
    super('TIDINGS_NOTHING_DONE', 'no message of the transaction succeeded');
  }
}

export interface CoalescedRunParts {
  readonly transaction: SharedTransaction;
  readonly invoke: HandlerDefinition['invoke'];
}

/**
 * Runs a handler for each member, one after the other (a transaction has one connection), in one transaction with a savepoint each: what fails is
 * rolled back by itself, settled by itself, and its inbox row is taken back; the others commit. When the transaction is lost or its commit
 * fails, nobody has succeeded, and each runs again in a transaction of its own.
 */
export const coalescedRun = ({ transaction, invoke }: CoalescedRunParts): SettleTogether => {
  const call = async (member: BatchMember, opened: Transaction | undefined): Promise<void> => {
    const { context, payload } = member;
    context.transaction = opened;
    context.signal = member.stopping; // of a run whose time was over it stays aborted
    try {
      const answer = await invoke(payload, context);
      if (isSettlement(answer) && answer.kind !== 'accept') throw new OtherSettlement(answer);
    } finally {
      context.transaction = undefined;
    }
  };

  const alone = async (member: BatchMember, blocked: BlockedKeys): Promise<void> => {
    if (blocked.pass([member]).length === 0) return;
    if (member.stopping.aborted) return member.release();
    try {
      const [verdict] = await transaction([member.context], async (opened) => {
        await call(member, opened);
        return [];
      });
      end(member, verdict?.kind === 'settled' ? verdict.settlement : accept, blocked);
    } catch (thrown) {
      end(member, asError(thrown), blocked);
    }
  };

  const eachWithSavepoint = async (
    going: readonly BatchMember[],
    opened: Transaction | undefined,
    verdicts: readonly Verdict[],
    blocked: BlockedKeys,
  ): Promise<Map<BatchMember, Settlement | Error>> => {
    if (!hasSavepoints(opened)) throw new TidingsError('TIDINGS_SAVEPOINTS', NO_SAVEPOINTS);
    const ends = new Map<BatchMember, Settlement | Error>();
    const endOf = async (member: BatchMember, verdict: Verdict): Promise<Settlement | Error> => {
      if (blocked.has(member)) return heldBack;
      if (verdict.kind === 'settled') return verdict.settlement;
      if (verdict.kind === 'copy') {
        const first = ends.get(going[verdict.of]!);
        return first === accept ? accept : retry(COPY_AGAIN_MS, { counted: false });
      }
      if (member.stopping.aborted) return { kind: 'release' };
      try {
        await opened.savepoint(() => call(member, opened));
        return accept;
      } catch (thrown) {
        // After a time-out the handler may still be at work on the connection: nobody else may use it.
        if (thrown instanceof TransactionLostError || thrown instanceof TimeoutError) throw thrown;
        return asError(thrown);
      }
    };
    for (const [at, member] of going.entries()) {
      const result = await endOf(member, verdicts[at]!);
      ends.set(member, result);
      if (result !== accept) blocked.block(member.orderedKey);
    }
    return ends;
  };

  return async (members, blocked) => {
    const going = blocked.pass(members);
    if (going.length === 1) return alone(going[0]!, blocked);
    let ends = new Map<BatchMember, Settlement | Error>();
    const here = blocked.copy();
    try {
      const verdicts = await transaction(
        going.map(({ context }) => context),
        async (opened, said) => {
          ends = await eachWithSavepoint(going, opened, said, here);
          const filed = [...going.keys()].filter((at) => said[at]?.kind === 'handle');
          const undone = filed.filter((at) => ends.get(going[at]!) !== accept);
          if (undone.length === filed.length) throw new NothingDone();
          return undone;
        },
      );
      going.forEach((member, at) => {
        const verdict = verdicts[at];
        end(member, ends.get(member) ?? (verdict?.kind === 'settled' ? verdict.settlement : accept), blocked);
      });
    } catch (thrown) {
      if (thrown instanceof NothingDone) return going.forEach((member) => end(member, ends.get(member)!, blocked));
      for (const member of going) await alone(member, blocked);
    }
  };
};

const NO_SAVEPOINTS =
  'coalesce: expected a store whose transactions have savepoints, found one without; use pg(…) or typeorm(…), or leave coalesce out';

function end(member: BatchMember, result: Settlement | Error, blocked: BlockedKeys): void {
  if (result instanceof OtherSettlement) return end(member, result.settlement, blocked);
  const failed = result instanceof Error;
  if (failed || result.kind !== 'accept') blocked.block(member.orderedKey);
  if (failed) member.fail(result);
  else member.settle(result);
}
