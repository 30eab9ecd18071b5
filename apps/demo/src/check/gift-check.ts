import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Pool } from 'pg';
import { BROKERS, isBroker, removeTraces } from '@tidings/brokers';
import { type Clock, systemClock, TidingsError, timestampOf } from '@tidings/core';
import { BadgeUpgraded, GiftRequested, GiftSent, PointsRedeemed, RankingChanged } from '@tidings/gift-contracts';
import { CALLBACK_GROUP, Confirmed, Recheck, resendRequest, Subscribed } from '@tidings/messaging';
import { migrateDemo } from '@tidings-demo/migrations';
import { AppFleet } from '../apps/app-fleet';
import { AppReads } from '../apps/app-reads';
import { openDatabaseServer } from '../database-server';
import type { DemoOptions } from '../demo.options';
import type { DemoPrinter } from '../demo-printer';
import type { StartedParts } from '../started-parts';
import { type CallbackFigures, callbackRound, untilExpected } from './callback-round';
import { createCheckDatabase } from './check-database';
import { writeCheckFiles } from './check-files';
import { type Answer, type Evidence, GROUPS, type HistoryEvent } from './evidence';
import { generateGifts, type PlannedGift } from './gift-generator';
import { parseGiftFile } from './gift-file.parser';
import { sendGifts } from './gift-sender';
import { judge, type Verdict } from './judge';
import { openLetterDesk } from './letter-desk';
import { isPoison, poisonGifts } from './poison-plan';
import { type PoisonFigures, poisonRound } from './poison-round';
import { planRequests } from './request-plan';
import { waitUntilSettled } from './settling';
import { measureProgress } from './sql/measure-progress';
import { readHistory } from './sql/read-history';

/** How long a dead process keeps its lanes: short, for the killed ranking's successor waits for it. */
const LEASE_MS = 2_000;
/** Two leases, a restart, and a slow machine. */
const IDLE_MS = 6_000;
/** While something moves: a busy machine needs its time. */
const SETTLE_WITHIN_MS = 300_000;
/** What is declared at a broker. */
const GROUPS_OF_GIFTS = new Map<string, readonly string[]>([
  [GiftSent.topic, [...GROUPS, 'room-gateway']],
  [GiftRequested.topic, ['gift-intake']],
  [PointsRedeemed.topic, ['gift-api']],
  [RankingChanged.topic, ['room-gateway']],
  [BadgeUpgraded.topic, ['room-gateway']],
]);
const GROUPS_OF_CALLBACK = new Map<string, readonly string[]>([
  ...[Recheck, Confirmed, Subscribed].map(({ topic }) => [topic, [CALLBACK_GROUP]] as const),
  [resendRequest('gift-api').topic, ['resend']] as const,
]);
/** Of the transactions, with --callback. */
const ROLL_BACK = 0.03;
/** Longer than a recheck is on its way. */
const RECHECK_IDLE_MS = 20_000;

/**
 * The proof: sends gifts by HTTP, kills ranking between a commit and its ack, waits until nothing moves any more, and holds what the apps did
 * against what was accepted. In a database and under a queue prefix of its own, so that nothing of an earlier run is in the sums.
 */
export class GiftCheck {
  readonly #run: string;

  constructor(
    private readonly options: DemoOptions & { readonly check: number },
    private readonly parts: StartedParts,
    private readonly printer: DemoPrinter,
    private readonly clock: Clock = systemClock,
  ) {
    // Sorts by time, and two checks of one second still differ.
    this.#run = `${timestampOf(clock.now()).replace(/\D/g, '').slice(2, 14)}_${Math.random().toString(36).slice(2, 6)}`;
  }

  get #prefix(): string {
    return `check_${this.#run}`;
  }

  async verdict(): Promise<Verdict> {
    const { options, printer } = this;
    const fromFile = await this.#giftsOfFile();
    const server = await openDatabaseServer(options.databaseUrl, options.dataDir);
    await this.parts.add({ name: `PostgreSQL (${server.kind})`, stop: () => server.stop() });
    const database = await createCheckDatabase(server.url, this.#run);
    await this.parts.add({ name: 'the database of the check', stop: () => database.drop() });
    await migrateDemo(database.url);
    const pool = new Pool({ connectionString: database.url, max: 2 });
    await this.parts.add({ name: "the check's connections", stop: () => pool.end() });

    const { transport, brokerUrl, rooms } = options;
    const brokers = [...(isBroker(transport) ? [{ kind: transport, url: brokerUrl }] : []), ...(rooms ? [rooms] : [])];
    for (const { kind, url } of brokers) {
      await this.parts.add({
        name: `the check's queues at ${kind}`,
        stop: () =>
          removeTraces(
            kind,
            { url, prefix: this.#prefix },
            new Map([...GROUPS_OF_GIFTS, ...(options.callback ? GROUPS_OF_CALLBACK : [])]),
          ),
      });
    }
    const fleet = await this.#fleet(database.url, fromFile?.length ?? options.check);
    await this.parts.add({ name: 'the apps', stop: () => fleet.stop(), kill: () => fleet.kill() });
    await fleet.start();
    printer.line(`run ${this.#run}: ${server.kind} PostgreSQL, messages by ${options.transport}, all apps ready`);

    const reads = new AppReads((name) => fleet.urlOf(name));
    const gifts = fromFile ?? (await this.#generated(reads));
    if (options.callback) await untilExpected(reads, this.clock);
    const answers = await this.#send(gifts, () => fleet.urlOf('gift-api'));
    await this.#settle(pool, fleet, new Set(answers.map((answer) => answer.giftId)).size);
    const poison = options.poison === undefined ? undefined : await this.#poison(gifts, pool, fleet, reads);
    const callback = options.callback ? await this.#callback(pool, reads) : undefined;
    const evidence = await this.#evidence(answers, reads, pool);
    printer.line(`ranking was started ${fleet.startsOf('ranking')} times`);
    const files = await writeCheckFiles(join(options.dataDir, 'check'), this.#run, evidence);
    printer.line(`accepted gifts in ${files.gifts}, the ledger in ${files.ledger}`);
    return judge(evidence, poison, callback);
  }

  #fleet(databaseUrl: string, gifts: number): Promise<AppFleet> {
    const { options, printer } = this;
    return AppFleet.of({
      databaseUrl,
      transport: options.transport,
      brokerUrl: options.brokerUrl,
      rooms: options.rooms,
      prefix: this.#prefix,
      relay: options.relay,
      callback: options.callback,
      backlogLimit: 1_000_000, // the check is about what was accepted; refusing is the page's rush
      leaseMs: LEASE_MS,
      env: { DEMO_HISTORY: '1', DEMO_RUN: this.#run, DEMO_SABOTAGE: options.sabotage ?? '' },
      firstEnv: {
        'gift-api': {
          DEMO_DROP: String(options.drop ?? 0),
          DEMO_ROLL_BACK: String(options.callback ? ROLL_BACK : 0),
          DEMO_SEED: String(options.seed),
        },
        ranking: { DEMO_KILL_AFTER: String(Math.max(1, Math.floor(gifts / 3))) },
        badges: { DEMO_POISON: options.poison === undefined ? '0' : '1' },
      },
      print: (app, line) => printer.appLine(app, line),
    });
  }

  async #giftsOfFile(): Promise<PlannedGift[] | undefined> {
    const { gifts } = this.options;
    if (gifts === undefined) return undefined;
    const content = await readFile(gifts, 'utf8').catch((cause: Error) => {
      throw new TidingsError('DEMO_GIFT_FILE', `--gifts: expected a file of gifts, found ${cause.message}`, { cause });
    });
    return parseGiftFile(gifts, content, this.#run);
  }

  async #generated(reads: AppReads): Promise<PlannedGift[]> {
    const { check, seed, poison } = this.options;
    const [rooms, catalogue] = await Promise.all([reads.rooms(), reads.catalogue()]);
    const gifts = generateGifts({
      count: check,
      seed,
      run: this.#run,
      rooms: rooms.map((room) => room.roomId),
      gifts: catalogue.map((entry) => entry.gift),
    });
    return poison === undefined ? gifts : poisonGifts(gifts, poison, seed);
  }

  async #send(gifts: readonly PlannedGift[], address: () => string | undefined): Promise<readonly Answer[]> {
    const begin = this.clock.monotonic();
    const { answers, refusals, requests } = await sendGifts(planRequests(gifts, this.options.seed), { address });
    const seconds = (this.clock.monotonic() - begin) / 1_000;
    this.printer.line(
      `${requests} requests in ${seconds.toFixed(1)} s for ${gifts.length} gifts, ${refusals.length} refused`,
    );
    for (const refusal of refusals.slice(0, 3)) {
      this.printer.line(`refused with ${refusal.status}: ${refusal.idempotencyKey}: ${refusal.body}`);
    }
    return answers;
  }

  async #settle(pool: Pool, fleet: AppFleet, gifts: number): Promise<void> {
    const begin = this.clock.monotonic();
    const settling = await waitUntilSettled({
      target: gifts * GROUPS.length,
      measure: () => measureProgress(pool, this.#run, GROUPS),
      idleMs:
        IDLE_MS +
        (this.options.callback ? RECHECK_IDLE_MS : 0) +
        (isBroker(this.options.transport) ? BROKERS[this.options.transport].takeOverMs : 0),
      restarting: () => GROUPS.some((group) => fleet.urlOf(group) === undefined),
      withinMs: SETTLE_WITHIN_MS,
    });
    const seconds = (this.clock.monotonic() - begin) / 1_000;
    const told = { settled: 'all settled', stuck: 'nothing moves any more', late: 'given up' }[settling];
    this.printer.line(`${told} ${seconds.toFixed(1)} s after the last answer`);
  }

  /** The fault is gone with badges' next start, as with a deployment that mends it. */
  async #poison(gifts: readonly PlannedGift[], pool: Pool, fleet: AppFleet, reads: AppReads): Promise<PoisonFigures> {
    const { options, printer, clock } = this;
    const desk = await openLetterDesk(pool, options, this.#prefix);
    await this.parts.add({ name: 'the dead letters of the check', stop: () => desk.close() });
    const figures = await poisonRound({
      poison: gifts.filter(isPoison).length,
      pool,
      clock,
      letters: desk.letters,
      counted: async () => (await reads.badgeTotals()).gifts,
      accepted: (await reads.giftTotals()).totals.reduce((sum, { gifts: count }) => sum + count, 0),
      mend: async () => {
        const starts = fleet.startsOf('badges');
        fleet.crash('badges');
        while (fleet.startsOf('badges') === starts) await clock.wait(50);
      },
    });
    printer.line(
      `${figures.parked} rooms were parked at badges behind poison gifts, ${figures.redriven} were redriven`,
    );
    return figures;
  }

  async #callback(pool: Pool, reads: AppReads): Promise<CallbackFigures> {
    const { clock, options, printer } = this;
    const begin = clock.monotonic();
    const history = await readHistory(pool, this.#run);
    const giftsOf = (event: HistoryEvent) =>
      history.flatMap((row) => (row.event === event && row.giftId ? [row.giftId] : []));
    const accepted = (await reads.gifts()).map(({ giftId }) => giftId);
    const faults = {
      dropped: giftsOf('dropped'),
      rolledBack: giftsOf('rolled-back'),
      dropping: options.drop !== undefined,
    };
    const figures = await callbackRound({ reads, pool, clock, accepted, ...faults });
    printer.line(`callback-service was done ${((clock.monotonic() - begin) / 1_000).toFixed(1)} s later`);
    return figures;
  }

  async #evidence(answers: readonly Answer[], reads: AppReads, pool: Pool): Promise<Evidence> {
    const [accepted, giftTotals, ranking, ledger, revenue, badges, history] = await Promise.all([
      reads.gifts(),
      reads.giftTotals(),
      reads.rankingTotals(),
      reads.ledger(),
      reads.revenueTotals(),
      reads.badgeTotals(),
      readHistory(pool, this.#run),
    ]);
    return { answers, accepted, giftTotals, ranking, ledger, revenue, badges, history };
  }
}
