import { randomUUID } from 'node:crypto';
import { dateOf, type DeadLetter, silentLogger, type Store, systemClock, timestampOf } from '@tidings/core';
import { migrate, pg } from '@tidings/database';
import { testMessage } from '@tidings/testing';
import { Pool } from 'pg';
import { CallbackDesk } from './callback-desk';
import type { Confirmation, RecheckPayload } from './callback.contracts';
import { type CallbackServiceOptions, checkCallbackServiceOptions } from './callback.options';
import { callbackMigrations } from './migrations';
import type { ResendAnswer, ResendQuestion } from './resender';

/** Past this `tidings.now()` begins: a fixed noon, so that no spec runs into midnight. */
const NOON_MS = Date.UTC(2030, 4, 10, 12);
export const TODAY = dateOf(NOON_MS);

/** Noon and so many milliseconds, RFC 3339. */
export const at = (ms: number): string => timestampOf(NOON_MS + ms);
/** So many days before today. */
export const daysAgo = (days: number): string => dateOf(NOON_MS - days * 86_400_000);

/** A schema with the callback service's tables, whose time stands still until it is moved, and desks on it: each as a process would have one. */
export class SpecDesk {
  readonly schema = `callback_${randomUUID().slice(0, 8)}`;
  readonly letters: DeadLetter[] = [];
  /** Every question, in their order. */
  readonly asked: ResendQuestion[] = [];
  /** What a sender answers; a spec puts its own here. */
  answer: (question: ResendQuestion) => Promise<ResendAnswer> = async () => 'sent';
  bury: (letter: DeadLetter) => Promise<void> = async (letter) => void this.letters.push(letter);
  readonly #pool: Pool;
  readonly #store: Store;

  private constructor(url: string) {
    this.#pool = new Pool({ connectionString: url, max: 6 });
    this.#store = pg(this.#pool, { schema: this.schema });
  }

  static async on(url: string): Promise<SpecDesk> {
    const spec = new SpecDesk(url);
    await spec.#store.connect();
    await migrate(spec.#store, callbackMigrations);
    return spec;
  }

  async reset(): Promise<void> {
    for (const name of ['callback_check', 'callback_count', 'callback_subscription'])
      await this.query(`truncate ${this.schema}.${name}`);
    for (const bucket of await this.buckets()) await this.query(`drop table ${this.schema}.${bucket}`);
    this.letters.length = this.asked.length = 0;
    this.answer = async () => 'sent';
    this.bury = async (letter) => void this.letters.push(letter);
    await this.moveTo(0);
  }

  /** To noon and so many milliseconds. */
  async moveTo(ms: number): Promise<void> {
    await this
      .query(`create or replace function ${this.schema}.now() returns timestamptz language sql volatile parallel safe as
      'select timestamptz ''${at(ms)}'''`);
  }

  desk(options: CallbackServiceOptions = {}): CallbackDesk {
    return new CallbackDesk({
      store: this.#store,
      resender: {
        resend: (question) => {
          this.asked.push(question);
          return this.answer(question);
        },
      },
      deadLetters: { bury: (letter) => this.bury(letter) },
      options: checkCallbackServiceOptions({ graceMs: 1_000, againMs: 5_000, ...options }),
      instance: 'spec',
      clock: systemClock,
      logger: silentLogger,
    });
  }

  /** A recheck of this message comes in, of the contract `gift.sent`. */
  async recheck(desk: CallbackDesk, id: string, more: Partial<RecheckPayload> = {}): Promise<void> {
    const about = { id, source: 'shop', type: 'gift.sent', topic: 'gift.sent', key: null, bucket: TODAY, time: at(0) };
    const payload: RecheckPayload = { ...about, headers: {}, transaction: null, groups: ['ranking'], afterMs: 0, ...more }; // prettier-ignore
    const message = testMessage({ type: 'tidings.recheck', source: 'shop', payload, bucket: TODAY });
    await this.#store.run((transaction) => desk.recheck([{ message, payload }], transaction));
  }

  /** A group has handled it, at noon unless told otherwise. */
  async confirm(desk: CallbackDesk, id: string, more: Partial<Confirmation> = {}): Promise<void> {
    const about = { id, source: 'shop', type: 'gift.sent', bucket: TODAY, sentAt: at(0), at: at(0) };
    const one = { ...about, group: 'ranking', copy: false, resent: false, ...more };
    await this.#store.run((transaction) => desk.confirm([one], transaction));
  }

  async subscribe(desk: CallbackDesk, group: string, since: string): Promise<void> {
    await this.#store.run((transaction) => desk.subscribed([{ type: 'gift.sent', group }], since, transaction));
  }

  async query<Row>(text: string): Promise<Row[]> {
    return (await this.#pool.query(text)).rows as Row[];
  }

  /** A second session, for locks. */
  connect: Pool['connect'] = (() => this.#pool.connect()) as Pool['connect'];

  /** Names of the tables that confirmations are in, by their days. */
  async buckets(): Promise<string[]> {
    const rows = await this.query<{ name: string }>(
      `select tablename as name from pg_tables where schemaname = '${this.schema}' and tablename like 'callback_confirmation_%' order by 1`,
    );
    return rows.map(({ name }) => name);
  }

  async close(): Promise<void> {
    await this.query(`drop schema ${this.schema} cascade`);
    await this.#store.close();
    await this.#pool.end();
  }
}
