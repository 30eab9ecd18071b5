import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Broker, type BrokerName, BROKERS, isBroker, removeTraces, type TransportName } from '@tidings/brokers';
import { systemClock, TidingsError } from '@tidings/core';
import { isPrivate, loopbackHost, missingPrograms, type PrivateServer, startPrivate, TcpProxy } from '@tidings/testing';
import type { ChaosOptions } from './chaos.options';
import { deliveriesOf, sendsOf } from './evidence';
import { FaultInjector } from './fault-injector';
import { planFaults } from './fault-plan';
import { readHistories } from './history';
import { judge, type Verdict } from './judge';
import { RunDatabase } from './run-database';
import { GROUPS, KEYS, LEASE_MS, Moved, processesOf, type Role } from './scene';
import { SupervisedProcess } from './supervised-process';

/** Addresses; undefined: none is there. */
export type ChaosServers = Readonly<Record<TransportName, string | undefined>>;

export interface ChaosReport {
  readonly verdict: Verdict;
  readonly faults: Readonly<Record<string, number>>;
  readonly restarts: number;
  /** Processes that ended by themselves, by an error that nobody caught. */
  readonly crashes: number;
  readonly folder: string;
  /** False: what committed was not all applied within the deadline. */
  readonly settled: boolean;
  /** Faults that this run could not have, each with its reason. */
  readonly excluded: readonly string[];
}

const READY_WITHIN_MS = 60_000;
const SETTLE_WITHIN_MS = 60_000;
/** Ten leases: a dead process's lanes were taken over long ago, and the longest back-off was waited for. A broker's own time comes on top. */
const STUCK_AFTER_MS = 10 * LEASE_MS;
const LOOK_EVERY_MS = 250;
/** After all is applied: a copy that is still on its way must have the time to be applied twice. */
const LINGER_MS = 2 * LEASE_MS;

const ndjson = (rows: Iterable<unknown>): string => [...rows].map((row) => `${JSON.stringify(row)}\n`).join('');

/** One run: its database, its queues, its processes; faults by the seed; then the verdict. Leaves only the histories. */
export class ChaosRun {
  readonly #undo: (() => Promise<unknown>)[] = [];
  readonly #excluded: string[] = [];

  constructor(
    private readonly options: ChaosOptions,
    private readonly servers: ChaosServers,
    private readonly print: (line: string) => void,
    /** Aborted by Ctrl-C. */
    private readonly signal: AbortSignal,
    private readonly dataFolder: string,
  ) {}

  async run(): Promise<ChaosReport> {
    try {
      return await this.#run();
    } finally {
      for (const undo of this.#undo.splice(0).reverse()) {
        await undo().catch((thrown: unknown) => this.print(`could not be undone: ${String(thrown)}`));
      }
    }
  }

  async #run(): Promise<ChaosReport> {
    const { options, print, signal } = this;
    const { transport, seed, seconds } = options;
    const run = `chaos_${transport}_${seed}_${process.pid}`;
    const folder = join(this.dataFolder, 'chaos', String(seed), transport);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });

    const ownPostgres = await this.#own('postgres');
    const database = await RunDatabase.create(ownPostgres?.url ?? this.#found('postgres'), run, KEYS);
    this.#undo.push(() => database.drop());
    const postgres = await TcpProxy.to(database.url);
    this.#undo.push(() => postgres.close());
    const ownBroker = isBroker(transport) ? await this.#own(transport) : undefined;
    const broker = isBroker(transport) ? await this.#broker(transport, run, ownBroker) : undefined;
    const processes = processesOf(transport).map(({ name, role }) => {
      const orders = { name, role, seed, transport, prefix: run, folder };
      const urls = { postgresUrl: postgres.url, brokerUrl: broker?.url ?? '' };
      return { role, process: new SupervisedProcess({ ...orders, ...urls }, options.sabotage) };
    });
    this.#undo.push(() => Promise.all(processes.map(({ process }) => process.end())));
    const having = (...roles: Role[]): SupervisedProcess[] =>
      processes.filter(({ role }) => roles.includes(role)).map(({ process }) => process);

    // Groups exist before the first publish: what was published before a group existed is not promised to it.
    await this.#started(having('ledger', 'audit'));
    await this.#started(having('relay', 'sender'));
    print(`${processes.length} processes ready, on ${transport}, ${seconds} s of faults by seed ${seed}`);

    const names = processes.map(({ process }) => process.name);
    const plan = planFaults({ seed, transport, seconds, processes: names, leaseMs: LEASE_MS });
    writeFileSync(join(folder, 'faults.ndjson'), ndjson(plan));
    const byName = new Map(processes.map(({ process }) => [process.name, process]));
    const injector = new FaultInjector({
      processes: byName,
      wires: { postgres, broker },
      servers: { postgres: ownPostgres, broker: ownBroker },
      database,
      print,
    });
    this.#undo.push(() => injector.heal());
    const over = systemClock.wait(seconds * 1_000, signal);
    await Promise.all([injector.run(plan, signal), over]);
    await injector.heal();
    this.#stopIfAborted();

    await Promise.all(having('sender').map((sender) => sender.retire()));
    const settled = await this.#settled(database);
    const restarts = processes.reduce((sum, { process }) => sum + process.starts - 1, 0);
    const crashes = processes.reduce((sum, { process }) => sum + process.crashes, 0);
    for (const sort of [having('relay'), having('ledger', 'audit')]) {
      const left = await Promise.all(sort.map((one) => one.retire()));
      sort.filter((_, index) => !left[index]).forEach(({ name }) => print(`${name} did not leave and was killed`));
    }

    const [effects, stored] = [await database.effects(), await database.stored()];
    writeFileSync(join(folder, 'effects.ndjson'), ndjson(effects));
    writeFileSync(join(folder, 'stored.ndjson'), ndjson(stored));
    for (const letters of await database.deadLetters()) print(`dead letters: ${letters}`);
    const events = readHistories(folder);
    const evidence = { groups: GROUPS, sends: sendsOf(events), deliveries: deliveriesOf(events), effects, stored };
    return {
      verdict: judge(evidence),
      faults: injector.counts,
      restarts,
      crashes,
      folder,
      settled,
      excluded: this.#excluded,
    };
  }

  /** A server of the run's own, for it is killed; undefined where its programs are not installed: then its wire is all that breaks. */
  async #own(name: TransportName): Promise<PrivateServer | undefined> {
    const { crashLoses }: Partial<Broker> = isBroker(name) ? BROKERS[name] : {};
    if (crashLoses !== undefined) {
      this.#excluded.push(`halt of ${name}: ${crashLoses}`);
      return undefined;
    }
    const missing = isPrivate(name) ? missingPrograms(name) : ['way to start one of its own'];
    if (!isPrivate(name) || missing.length > 0) {
      this.#excluded.push(`halt of ${name}: no ${missing.join(', ')} on this machine`);
      return undefined;
    }
    const server = await startPrivate(name);
    this.#undo.push(() => server.remove());
    return server;
  }

  #found(name: TransportName): string {
    const url = this.servers[name];
    if (url) return url;
    throw new TidingsError('CHAOS_NO_SERVER', `expected a ${name}, found none; start one or set its address`);
  }

  async #broker(name: BrokerName, prefix: string, own: PrivateServer | undefined): Promise<TcpProxy> {
    const url = own?.url ?? this.#found(name);
    const groups = GROUPS.map((group) => group.name);
    if (!own) this.#undo.push(() => removeTraces(name, { url, prefix }, new Map([[Moved.topic, groups]])));
    return this.#wire(url, BROKERS[name], own);
  }

  /** The wire that faults break. Other ports that clients use as well are passed on at the same host, unbroken. */
  async #wire(url: string, { fixedPorts = [] }: Broker, server: PrivateServer | undefined): Promise<TcpProxy> {
    const own = Number(new URL(url).port);
    const host = fixedPorts.length > 0 ? loopbackHost() : undefined;
    const to = async (port: number): Promise<TcpProxy> => {
      const target = new URL(url);
      target.port = String(server?.portOf?.(port) ?? port);
      const proxy = await TcpProxy.to(target.href, host === undefined ? {} : { host, port });
      this.#undo.push(() => proxy.close());
      return proxy;
    };
    for (const port of fixedPorts) if (port !== own) await to(port);
    return to(own);
  }

  async #started(processes: readonly SupervisedProcess[]): Promise<void> {
    for (const process of processes) process.start();
    const ready = (): boolean => processes.every(({ isReady }) => isReady);
    if (await this.#until(async () => ready(), READY_WITHIN_MS)) return;
    const late = processes.filter(({ isReady }) => !isReady).map(({ name }) => name);
    throw new TidingsError(
      'CHAOS_NOT_READY',
      `expected all processes to be ready, found ${late.join(', ')} not; see their logs`,
    );
  }

  /** True when each group has applied all that committed, and then had time to apply some of it again. */
  async #settled(database: RunDatabase): Promise<boolean> {
    const { transport } = this.options;
    const takeOverMs = isBroker(transport) ? BROKERS[transport].takeOverMs : 0;
    const begin = systemClock.monotonic();
    let settled = false;
    let [applied, movedAt] = [-1, begin];
    await this.#until(
      async () => {
        const progress = await database.progress();
        const now = systemClock.monotonic();
        if (progress.applied !== applied) [applied, movedAt] = [progress.applied, now];
        settled = applied >= progress.stored * GROUPS.length;
        return settled || now - movedAt > STUCK_AFTER_MS + takeOverMs;
      },
      SETTLE_WITHIN_MS + 4 * takeOverMs,
    );
    const seconds = ((systemClock.monotonic() - begin) / 1_000).toFixed(1);
    this.print(settled ? `settled after ${seconds} s` : `not settled after ${seconds} s`);
    await systemClock.wait(LINGER_MS, this.signal);
    this.#stopIfAborted();
    return settled;
  }

  async #until(condition: () => Promise<boolean>, withinMs: number): Promise<boolean> {
    const begin = systemClock.monotonic();
    for (;;) {
      this.#stopIfAborted();
      if (await condition()) return true;
      if (systemClock.monotonic() - begin > withinMs) return false;
      await systemClock.wait(LOOK_EVERY_MS, this.signal);
    }
  }

  #stopIfAborted(): void {
    if (this.signal.aborted) throw new TidingsError('CHAOS_INTERRUPTED', 'interrupted; nothing was judged');
  }
}
