import { randomBytes } from 'node:crypto';
import {
  accept,
  compose,
  type HandlerDefinition,
  type Message,
  MessageContext,
  never,
  quoted,
  retryMiddleware,
  type Settlement,
  silentLogger,
  type Store,
  systemClock,
} from '@tidings/core';
import { migrate, pg } from '@tidings/database';
import { inboxEntryOf, inboxMiddleware, inboxMigrations, PostgresInbox } from '@tidings/inbox';
import { testMessage, until } from '@tidings/testing';
import { Pool } from 'pg';
import { deadLetterMiddleware } from './dead-letter.middleware';
import { letterOf, RecordingPublisher } from './letter.fixture';
import { deadLetterMigrations } from './migrations';
import { PostgresDeadLetters } from './postgres-dead-letters';
import type { RedriveJob } from './redrive-job';
import { RedriveJobs } from './redrive-jobs';
import { RedriveWorker, type RedriveWorkerParts } from './redrive-worker';

const HANDLER = {
  name: 'RankGiftHandler.rank',
  store: 'main',
  transport: 'main',
  level: 'effectivelyOnce',
  subscription: { topic: 'gift.sent', group: 'ranking', ordered: true, broadcast: false, concurrency: 1, from: 'now' },
  retry: never(),
} as unknown as HandlerDefinition;

/** A schema with dead letters, an inbox, and a group whose effects can be counted. Its publisher delivers at once, unless told otherwise. */
export class SpecRedrive {
  readonly publisher = new RecordingPublisher();
  readonly letters: PostgresDeadLetters;
  readonly jobs: RedriveJobs;
  readonly inbox: PostgresInbox;
  /** Ids of messages whose handler fails. */
  readonly failing = new Set<string>();

  private constructor(
    readonly schema: string,
    readonly pool: Pool,
    readonly store: Store,
  ) {
    this.inbox = new PostgresInbox(store);
    this.letters = this.lettersOn(store);
    this.jobs = new RedriveJobs(store);
    this.publisher.answer = async ({ message }) => {
      await this.receive(message);
      return { outcome: 'confirmed' };
    };
  }

  static async open(url: string, schema = `redrive_${randomBytes(4).toString('hex')}`): Promise<SpecRedrive> {
    const pool = new Pool({ connectionString: url, max: 4 });
    const store = pg(pool, { schema });
    await migrate(store, [...inboxMigrations, ...deadLetterMigrations]);
    const spec = new SpecRedrive(schema, pool, store);
    await spec.inbox.buckets.prepare();
    await pool.query(
      `create table if not exists ${quoted(schema)}.effect (n bigserial, id text, key text, generation bigint)`,
    );
    return spec;
  }

  async close(): Promise<void> {
    await this.pool.query(`drop schema ${quoted(this.schema)} cascade`);
    await this.leave();
  }

  /** Leaves the schema to others. */
  async leave(): Promise<void> {
    await this.store.close();
    await this.pool.end();
  }

  lettersOn(store: Store): PostgresDeadLetters {
    return new PostgresDeadLetters(store, { seal: (of, message) => this.inbox.seal(inboxEntryOf(of, message)) });
  }

  worker(parts: Partial<RedriveWorkerParts> = {}): RedriveWorker {
    const { store = this.store } = parts;
    const letters = this.lettersOn(store);
    return new RedriveWorker({
      store,
      redrive: (id, ofJob) => letters.redrive(id, this.publisher.of, ofJob),
      handled: async (of, message) => ((await this.inbox.handled(inboxEntryOf(of, message))) ? 'handled' : 'pending'),
      clock: systemClock,
      logger: silentLogger,
      pollMs: 20,
      ...parts,
    });
  }

  /** Letters of that many messages, with ids m0, m1, … and these keys in turn. */
  async bury(count: number, keys: readonly (string | null)[] = [null]): Promise<void> {
    for (let n = 0; n < count; n++) {
      await this.letters.bury(letterOf({ message: testMessage({ id: `m${n}`, key: keys[n % keys.length]! }) }));
    }
  }

  /** What the group's consumer does with a delivery. */
  receive(message: Message): Promise<Settlement> {
    const chain = compose(
      [
        deadLetterMiddleware({ sinkOf: () => this.letters, instance: 'pod-1' }),
        retryMiddleware(systemClock),
        inboxMiddleware({ stores: () => this.store, inboxOf: () => this.inbox }),
      ],
      async ({ transaction }) => {
        const { id, key, generation } = message;
        await transaction!.query({
          text: `insert into ${quoted(this.schema)}.effect (id, key, generation) values ($1, $2, $3)`,
          values: [id, key, generation],
        });
        if (this.failing.has(id)) throw new Error('no luck again');
        return accept;
      },
    );
    return chain(
      new MessageContext({ message, attempt: 1, redelivered: false }, HANDLER, new AbortController().signal),
    );
  }

  /** Ids of messages that took effect, in that order. */
  async effects(): Promise<string[]> {
    const { rows } = await this.pool.query<{ id: string }>(`select id from ${quoted(this.schema)}.effect order by n`);
    return rows.map(({ id }) => id);
  }

  get sent(): string[] {
    return this.publisher.sent.map(({ message }) => message.id);
  }

  async ended(id: string, ...status: RedriveJob['status'][]): Promise<RedriveJob> {
    const wanted = status.length > 0 ? status : ['done'];
    let job: RedriveJob | undefined;
    await until(`job ${id} is ${wanted.join(' or ')}`, async () => wanted.includes((job = await this.jobs.find(id))!.status), { withinMs: 30_000 }); // prettier-ignore
    return job!;
  }
}
