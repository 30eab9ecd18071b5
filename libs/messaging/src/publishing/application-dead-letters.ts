import { type Clock, type DeadLetter, type KeyParking, parseOptions, type Publisher, type Store, type TidingsLogger } from '@tidings/core'; // prettier-ignore
import { type HandledMessage, type LetterFilter, type LetterSelection, type LetterTable, postgresLetters, postgresRedrives, RedriveJobs, type RedriveOfJob, type RedriveResult, type RedriveTable, RedriveWorker, TableDeadLetters } from '@tidings/dead-letter'; // prettier-ignore
import { inboxEntryOf, type PostgresInbox } from '@tidings/inbox';
import { z } from 'zod';
import type { HandlerDirectory } from '../handling/handler-directory';
import { DryRun, type DryRunResult } from './dry-run';
import type { TransportRegistry } from './transport-registry';

export interface ApplicationDeadLettersParts {
  readonly store: Store;
  /** Default: the tables in the store. */
  readonly letters?: LetterTable & { readonly redrives: RedriveTable };
  readonly inbox: Pick<PostgresInbox, 'seal' | 'handled'>;
  readonly keyParking: KeyParking;
  readonly transports: TransportRegistry;
  readonly handlers: HandlerDirectory;
  readonly clock: Clock;
  readonly logger: TidingsLogger;
}

export interface DryRunOptions {
  /** Letters of a filter that are tried, the first ones. 1 to 500. Default 50. */
  readonly limit?: number;
  /** Ends the dry run after the letter in hand; handlers see it as their context's signal. */
  readonly signal?: AbortSignal;
}

const IDLE_MS = 86_400_000;

const limitSchema = z.strictObject({ limit: z.int().min(1).max(500) });

/** The dead letters of one store, in an application that knows where to send them again. */
export class ApplicationDeadLetters extends TableDeadLetters {
  /** Redrives of many letters: with a canary, at a rate, to be paused, resumed and cancelled. */
  readonly redriveJobs: RedriveJobs;
  /** Works on the jobs of this store; started and stopped with the application. */
  readonly redriveWorker: RedriveWorker;
  readonly #dryRun: DryRun;

  constructor(private readonly parts: ApplicationDeadLettersParts) {
    const { store, inbox, keyParking, handlers, clock, logger } = parts;
    super(parts.letters ?? postgresLetters(store), {
      keyParking,
      seal: (subscription, message) => inbox.seal(inboxEntryOf(subscription, message)),
      checkContract: async (message) => {
        const contract = handlers.contractOf(message.type);
        return contract && { key: contract.keyOf(await contract.decode(message)) };
      },
    });
    const handled: HandledMessage = async (subscription, message) => {
      const handler = handlers.find(subscription.group, message);
      if (handler && (handler.level !== 'effectivelyOnce' || handler.subscription.broadcast)) return 'unknowable';
      return (await inbox.handled(inboxEntryOf(subscription, message))) ? 'handled' : 'pending';
    };
    const redrive = (id: string, ofJob: RedriveOfJob): Promise<RedriveResult> => this.redrive(id, undefined, ofJob);
    const table = parts.letters?.redrives ?? postgresRedrives(store);
    // Nobody else begins a job in the memory of this process, so nobody looks for one.
    const pollMs = parts.letters && { pollMs: IDLE_MS };
    this.redriveWorker = new RedriveWorker({ store, table, redrive, handled, clock, logger, ...pollMs });
    this.redriveJobs = new RedriveJobs(store, () => this.redriveWorker.wake(), table.jobs);
    this.#dryRun = new DryRun(store, handlers, clock, logger);
  }

  /** The message leaves its transport or its log after this and looks done to everybody else: it is told as an error. */
  override async bury(letter: DeadLetter): Promise<void> {
    await super.bury(letter);
    const { message, direction, place, handler, reason, attempts } = letter;
    this.parts.logger.error(
      { direction, place, handler, type: message.type, message: message.id, attempts, reason },
      'dead-lettered',
    );
  }

  /** As in DeadLetters; by the application's own transports, connected if need be, unless told otherwise. */
  override redrive(
    id: string,
    publisherOf: (transport: string) => Publisher | undefined = (name) => this.parts.transports.publisher(name),
    ofJob?: RedriveOfJob,
  ): Promise<RedriveResult> {
    return super.redrive(id, publisherOf, ofJob);
  }

  /**
   * Tells what would become of letters if they were redriven now, one after the other. A handler that is declared `dryRun: true` runs in a transaction
   * that is rolled back, after its constraints were checked; of others, contract, guards and pipes are asked. Nothing is published, no inbox row is
   * left, no after-commit hook runs, and the letters stay as they are.
   *
   * @throws OptionsError for a bad filter or limit.
   */
  async dryRun(
    selection: LetterSelection,
    { limit = 50, signal = new AbortController().signal }: DryRunOptions = {},
  ): Promise<readonly DryRunResult[]> {
    const results: DryRunResult[] = [];
    for (const id of 'ids' in selection ? selection.ids : await this.#idsOf(selection.filter, limit)) {
      if (signal.aborted) break;
      const letter = await this.find(id);
      results.push(letter ? await this.#dryRun.run(letter, signal) : { letter: id, outcome: 'unknown', checked: 'nothing' }); // prettier-ignore
    }
    return results;
  }

  async #idsOf(filter: LetterFilter, limit: number): Promise<string[]> {
    const page = parseOptions('deadLetters.dryRun', limitSchema, { limit });
    return (await this.list({ ...filter, ...page })).map(({ id }) => id);
  }
}
