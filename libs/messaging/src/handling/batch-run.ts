import { accept, asError, isSettlement, type Settlement, TidingsError, type TidingsLogger } from '@tidings/core';
import type { SharedTransaction, Verdict } from '@tidings/inbox';
import { BatchError } from './batch.error';
import { BatchContext, type BatchItem } from './batch-context';
import type { BatchMember } from './batch-member';
import type { BlockedKeys } from './blocked-keys';
import type { SettleTogether } from './shared-transaction.gate';

export type InvokeBatch = (items: readonly BatchItem[], context: BatchContext) => Promise<Settlement | void>;

/** The handler answered with another settlement than `accept`: rolls back. Never leaves this folder. */
export class OtherSettlement extends TidingsError {
  constructor(readonly settlement: Settlement) {
    super('TIDINGS_NOT_ACCEPTED', `settled as ${settlement.kind}: what the handler wrote is rolled back`);
  }
}

/** The inbox refused some whose followers are in the same transaction: it begins again without them. */
class RefusedFirst extends TidingsError {
  constructor(readonly verdicts: readonly Verdict[]) {
    super('TIDINGS_BATCH_REFUSED', 'members of the batch cannot be handled, and others must wait for them');
  }
}

export interface BatchRunParts {
  readonly transaction: SharedTransaction;
  readonly invoke: InvokeBatch;
  readonly logger: TidingsLogger;
}

/**
 * Runs a batch handler on all members in one transaction. When that fails, the failure is narrowed down: a BatchError says whose it is; else both halves
 * run by themselves, the first before the second, down to single messages. One bad message of n costs about 2 log2 n transactions, and only it has
 * failed; members of its key that come after it are held back.
 *
 * With `atMostOnce` nothing runs twice, so nothing is narrowed down: a BatchError's ids have failed and the others are done; any other error is
 * everybody's.
 */
export const batchRun = ({ transaction, invoke, logger }: BatchRunParts): SettleTogether => {
  const settle: SettleTogether = async (members, blocked) => {
    const going = blocked.pass(members);
    const [first] = going;
    if (!first) return;
    const { handler } = first.context;
    const { stopping } = first;
    if (stopping.aborted) return going.forEach((member) => member.release());
    try {
      const verdicts = await transaction(
        going.map(({ context }) => context),
        async (opened, said) => {
          if (mustWait(going, said)) throw new RefusedFirst(said);
          const context = new BatchContext(itemsOf(going, said), handler, stopping);
          context.transaction = opened;
          try {
            const answer = await invoke(context.items, context);
            if (isSettlement(answer) && answer.kind !== 'accept') throw new OtherSettlement(answer);
          } finally {
            context.transaction = undefined; // whoever still holds the context must not find a transaction that has ended
          }
          return [];
        },
      );
      going.forEach((member, at) => settleBy(member, verdicts[at], blocked));
    } catch (thrown) {
      await afterFailure(going, asError(thrown), blocked);
    }
  };

  const afterFailure = async (going: readonly BatchMember[], error: Error, blocked: BlockedKeys): Promise<void> => {
    if (error instanceof RefusedFirst) {
      const verdicts = new Map(going.map((member, at) => [member, error.verdicts[at]]));
      const refused = going.filter((member) => isRefused(verdicts.get(member)));
      await settle(blocked.without(going, refused), blocked);
      return refused.forEach((member) =>
        blocked.pass([member]).forEach(() => settleBy(member, verdicts.get(member), blocked)),
      );
    }
    const failed = failedOf(going, error);
    const { context, stopping } = going[0]!;
    const { handler } = context;
    if (failed.length === 0 && handler.level !== 'atMostOnce') {
      // A stop is no reason to look for somebody to blame.
      if (stopping.aborted) return going.forEach((member) => member.release());
      const half = Math.ceil(going.length / 2);
      logger.debug({ handler: handler.name, messages: going.length, err: error }, 'batch failed: its halves run again');
      await settle(going.slice(0, half), blocked);
      return settle(going.slice(half), blocked);
    }
    if (handler.level === 'atMostOnce') {
      const others = failed.length > 0 ? going.filter((member) => !failed.includes(member)) : [];
      for (const member of others) member.settle(accept);
      for (const member of going) if (!member.answered) failAlone(member, error, blocked);
      return;
    }
    await settle(blocked.without(going, failed), blocked);
    // One by one: of two that failed in one key only the first has failed for now.
    failed.forEach((member) => blocked.pass([member]).forEach(() => failAlone(member, error, blocked)));
  };

  return settle;
};

/** Whose failure it is; nobody's when that is to be found out. */
function failedOf(going: readonly BatchMember[], error: Error): readonly BatchMember[] {
  if (error instanceof BatchError) {
    const named = new Set(error.failedIds);
    const failed = going.filter(({ id }) => named.has(id));
    if (failed.length > 0) return failed;
  }
  return going.length === 1 ? going : [];
}

function failAlone(member: BatchMember, error: Error, blocked: BlockedKeys): void {
  blocked.block(member.orderedKey);
  if (error instanceof OtherSettlement) return member.settle(error.settlement);
  member.fail(error instanceof BatchError && error.cause !== undefined ? asError(error.cause) : error);
}

function settleBy(member: BatchMember, verdict: Verdict | undefined, blocked: BlockedKeys): void {
  const settlement = verdict?.kind === 'settled' ? verdict.settlement : accept; // a copy's first one has committed
  if (settlement.kind !== 'accept') blocked.block(member.orderedKey);
  member.settle(settlement);
}

const isRefused = (verdict: Verdict | undefined): boolean =>
  verdict?.kind === 'settled' && verdict.settlement.kind !== 'accept';

/** Is one to be handled behind one of its key that is not settled yet? */
function mustWait(going: readonly BatchMember[], verdicts: readonly Verdict[]): boolean {
  const keys = new Set<string | null>();
  return going.some(({ orderedKey }, at) => {
    if (isRefused(verdicts[at])) keys.add(orderedKey);
    return orderedKey !== null && verdicts[at]?.kind === 'handle' && keys.has(orderedKey);
  });
}

const itemsOf = (going: readonly BatchMember[], verdicts: readonly Verdict[]): BatchItem[] =>
  going
    .filter((_, at) => verdicts[at]?.kind === 'handle')
    .map(({ id, payload, context: { message, attempt } }) => ({ id, payload, message, attempt }));
