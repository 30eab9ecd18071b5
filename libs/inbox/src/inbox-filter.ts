import { accept, type Settlement, type Transaction } from '@tidings/core';
import type { InboxEntry } from './inbox-entry';
import type { InboxOutcome, InboxStore } from './inbox-store';

/** A first look before an inbox, quick and forgetful. It says only what that inbox has said before. */
export interface InboxFilter {
  /** Safe twice. */
  start(): void;
  /** Resolves when what waits has been written, or cannot be. Safe twice. */
  stop(): Promise<void>;
  /**
   * Was it handled, with this or with other content? `undefined`: not known here, the inbox decides. Never rejects, and takes no longer than it is worth:
   * whatever goes wrong is not knowing.
   */
  known(entry: InboxEntry): Promise<'handled' | 'conflict' | undefined>;
  /** The inbox has committed it, or knew it. Returns at once, writes later; what it loses is asked of the inbox again. */
  remember(entry: InboxEntry): void;
}

/** An inbox behind a filter: the filter is asked first and told last, the inbox decides. */
export class FilteredInbox implements Pick<InboxStore, 'once'> {
  constructor(
    private readonly inbox: Pick<InboxStore, 'once'>,
    private readonly filter: Pick<InboxFilter, 'known' | 'remember'>,
  ) {}

  /** As the inbox behind. */
  async once(
    entry: InboxEntry,
    work: (transaction: Transaction | undefined) => Promise<Settlement>,
  ): Promise<InboxOutcome> {
    const known = await this.filter.known(entry);
    if (known) return { kind: known === 'handled' ? 'duplicate' : 'conflict' };
    const outcome = await this.inbox.once(entry, work);
    // A duplicate may be a sealed one, which a redrive handles under another generation: it stays a duplicate all the same.
    const taken = outcome.kind === 'handled' ? outcome.settlement.kind === accept.kind : outcome.kind === 'duplicate';
    if (taken) this.filter.remember(entry);
    return outcome;
  }
}
