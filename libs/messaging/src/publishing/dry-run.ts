import { asError, checksumMiddleware, type Clock, compose, isSettlement, MemoryStore, MessageContext, type Settlement, type Store, TidingsError, type TidingsLogger, timeoutMiddleware } from '@tidings/core'; // prettier-ignore
import { checkConstraints, messageOf, type StoredLetter } from '@tidings/dead-letter';
import type { HandlerDirectory } from '../handling/handler-directory';
import type { PlannedHandler } from '../handling/handler-plan';

/** What would become of a letter that is redriven now, as far as it could be told. */
export interface DryRunResult {
  /** The letter's id. */
  readonly letter: string;
  /** `unknown`: this process has no handler for it, or the letter does not wait for anybody. */
  readonly outcome: 'would-succeed' | 'would-fail' | 'unknown';
  /**
   * How far it went: `handler`: the handler ran, in a transaction that was rolled back; `guards`: contract, guards and pipes; `contract`: the payload
   * fits its contract; `nothing`.
   */
  readonly checked: 'handler' | 'guards' | 'contract' | 'nothing';
  /** Why it would fail. */
  readonly error?: Error;
}

/** Makes `Store.run` roll back; never leaves this file. */
class RolledBack extends TidingsError {
  constructor(readonly settlement: Settlement) {
    super('TIDINGS_DRY_RUN', 'a dry run: everything is rolled back');
  }
}

/** Tries letters out. Leaves nothing behind but what sequences gave out, and what a handler does outside of its transaction. */
export class DryRun {
  constructor(
    private readonly store: Store,
    private readonly handlers: HandlerDirectory,
    private readonly clock: Clock,
    private readonly logger: TidingsLogger,
  ) {}

  async run(letter: StoredLetter, signal: AbortSignal): Promise<DryRunResult> {
    const { id, direction, place, status } = letter;
    if (status !== 'dead' && status !== 'redriving') return { letter: id, outcome: 'unknown', checked: 'nothing' };
    const message = messageOf(letter);
    const handler = direction === 'inbound' ? this.handlers.find(place, message) : undefined;
    const contract = handler?.contract ?? this.handlers.contractOf(message.type);
    if (!contract) return { letter: id, outcome: 'unknown', checked: 'nothing' };
    try {
      await contract.decode(message);
    } catch (thrown) {
      return { letter: id, outcome: 'would-fail', checked: 'contract', error: asError(thrown) };
    }
    if (!handler) return { letter: id, outcome: direction === 'outbound' ? 'would-succeed' : 'unknown', checked: 'contract' }; // prettier-ignore
    const checked = handler.dryRun && handler.level !== 'atMostOnce' ? 'handler' : 'guards';
    const context = new MessageContext({ message, attempt: 1, redelivered: true }, handler, signal);
    const error = await this.#failureOf(handler, context, checked);
    return error ? { letter: id, outcome: 'would-fail', checked, error } : { letter: id, outcome: 'would-succeed', checked }; // prettier-ignore
  }

  async #failureOf(
    handler: PlannedHandler,
    context: MessageContext,
    checked: 'handler' | 'guards',
  ): Promise<Error | undefined> {
    const invoke = checked === 'handler' ? handler.invoke : handler.check;
    const run = compose([checksumMiddleware, timeoutMiddleware(this.clock, this.logger)], async () => {
      const answer = await invoke?.(await handler.contract.decode(context.message), context);
      return isSettlement(answer) ? answer : { kind: 'accept' };
    });
    try {
      await this.store.run(async (transaction) => {
        context.transaction = transaction;
        const settlement = await run(context).finally(() => (context.transaction = undefined));
        if (!(this.store instanceof MemoryStore)) await checkConstraints(transaction); // those that wait for the commit, which never comes
        throw new RolledBack(settlement);
      });
    } catch (thrown) {
      return thrown instanceof RolledBack ? failureOf(thrown.settlement) : asError(thrown);
    }
    return undefined;
  }
}

function failureOf(settlement: Settlement): Error | undefined {
  if (settlement.kind === 'accept') return undefined;
  if ('error' in settlement && settlement.error) return settlement.error;
  const reason = 'reason' in settlement ? settlement.reason : `the handler settled as ${settlement.kind}`;
  return new TidingsError('TIDINGS_DRY_RUN', reason);
}
