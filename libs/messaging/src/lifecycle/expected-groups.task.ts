import { type Clock, type GroupDirectory, PeriodicTask, type TidingsLogger, type Transport } from '@tidings/core';
import { MessagingConfigurationError } from '../messaging.errors';
import type { ContractRouter } from '../publishing/contract-router';
import type { Expectation, MissingGroup } from '../publishing/expectation';
import type { TransportRegistry } from '../publishing/transport-registry';

/** While all are there: a queue may be deleted. */
const EVERY_MS = 15_000;
/** While one is missing: its consumer is being deployed. */
const AGAIN_MS = 5_000;

const isDirectory = (transport: Transport): transport is Transport & GroupDirectory => 'hasGroup' in transport;

/**
 * Watches that the groups which contracts must reach exist. A broker confirms what reached one group; that another one of three is missing nobody would
 * hear of.
 *
 * A missing group is told as a warning and makes the health down, and stops nothing: consumers may be deployed after producers, and a start that
 * fails would make that order a rule.
 */
export class ExpectedGroups {
  #missing: readonly MissingGroup[] = [];
  readonly #task: PeriodicTask;
  #looked!: () => void;
  readonly #first = new Promise<void>((resolve) => (this.#looked = resolve));

  constructor(
    private readonly expects: readonly Expectation[],
    private readonly router: ContractRouter,
    private readonly transports: TransportRegistry,
    clock: Clock,
    private readonly logger: TidingsLogger,
  ) {
    this.#task = new PeriodicTask({ name: 'expected groups', everyMs: EVERY_MS, runOnce: () => this.#look().finally(this.#looked), clock, logger }); // prettier-ignore
  }

  /** As of the last look. */
  get missing(): readonly MissingGroup[] {
    return this.#missing;
  }

  /**
   * Connects the transports, looks once, and goes on looking. Without expectations it does nothing.
   * @throws MessagingConfigurationError for a contract without a route, or a transport that cannot tell its groups.
   */
  async start(): Promise<void> {
    if (this.expects.length === 0) return;
    for (const { contract } of this.expects) {
      for (const { transport: name } of this.router.destinationsOf(contract)) {
        const transport = await this.transports.connect(name);
        if (isDirectory(transport)) continue;
        throw new MessagingConfigurationError(
          `contract ${contract.type}`,
          `expected transport "${name}" to tell its groups, for messaging.expects; ${transport.kind} cannot: take the contract out of it`,
        );
      }
    }
    this.#task.start(); // a look that fails is logged by it, and made again
    await this.#first;
  }

  stop(): Promise<void> {
    return this.#task.stop();
  }

  async #look(): Promise<{ nextMs?: number }> {
    const found = await Promise.all(this.expects.map((expectation) => this.#missingOf(expectation)));
    const before = this.#missing;
    this.#missing = found.flat();
    const told = (groups: readonly MissingGroup[]): string => groups.map((one) => `${one.transport}/${one.topic} → ${one.group}`).join(', '); // prettier-ignore
    if (told(this.#missing) !== told(before)) {
      if (this.#missing.length === 0) this.logger.info({}, 'all groups that contracts must reach are there');
      else this.logger.warn({ missing: told(this.#missing) }, 'groups that a contract must reach do not exist: they miss what is published until their consumers have started once'); // prettier-ignore
    }
    return this.#missing.length > 0 ? { nextMs: AGAIN_MS } : {};
  }

  async #missingOf({ contract, groups }: Expectation): Promise<MissingGroup[]> {
    const missing: MissingGroup[] = [];
    const { type, topic } = contract;
    for (const { transport: name } of this.router.destinationsOf(contract)) {
      const transport = (await this.transports.connect(name)) as Transport & GroupDirectory;
      for (const group of groups)
        if (!(await transport.hasGroup(topic, group))) missing.push({ contract: type, transport: name, topic, group });
    }
    return missing;
  }
}
