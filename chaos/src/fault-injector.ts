import { asError, systemClock } from '@tidings/core';
import type { PrivateServer, TcpProxy } from '@tidings/testing';
import type { Fault, FaultKind, Wire } from './fault-plan';
import type { RunDatabase } from './run-database';
import type { SupervisedProcess } from './supervised-process';

export interface FaultTargets {
  readonly processes: ReadonlyMap<string, SupervisedProcess>;
  readonly wires: Readonly<Record<Wire, TcpProxy | undefined>>;
  /** Those that may be killed: none but our own. */
  readonly servers: Readonly<Record<Wire, PrivateServer | undefined>>;
  readonly database: RunDatabase;
  readonly print: (line: string) => void;
}

/** Does what a plan says, at its times. A fault that found nothing to break (a process between two lives) is not counted. */
export class FaultInjector {
  readonly #done = new Map<FaultKind, number>();
  readonly #undo = new Set<() => void>();
  readonly #halted = new Map<Wire, Promise<void>>();

  constructor(private readonly targets: FaultTargets) {}

  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#done].sort(([a], [b]) => a.localeCompare(b)));
  }

  /** Resolves after the last fault, or when the signal aborts. Outages may last beyond it: see `heal`. */
  async run(plan: readonly Fault[], signal: AbortSignal): Promise<void> {
    const begin = systemClock.monotonic();
    for (const fault of plan) {
      await systemClock.wait(Math.max(0, fault.atMs - (systemClock.monotonic() - begin)), signal);
      if (signal.aborted) return;
      const struck = await this.#strike(fault, signal).catch((thrown: unknown) => {
        this.targets.print(`could not ${fault.kind}: ${asError(thrown).message}`);
        return false;
      });
      if (struck) this.#done.set(fault.kind, (this.#done.get(fault.kind) ?? 0) + 1);
    }
  }

  /** Ends every outage and wakes every process that is stopped. Resolves when every server answers again; rejects when one does not start. */
  async heal(): Promise<void> {
    for (const undo of this.#undo) undo();
    this.#undo.clear();
    for (const wire of Object.values(this.targets.wires)) wire?.up();
    await Promise.all(this.#halted.values());
  }

  async #strike(fault: Fault, signal: AbortSignal): Promise<boolean> {
    const { processes, wires, database } = this.targets;
    switch (fault.kind) {
      case 'kill':
        return processes.get(fault.process)?.kill() ?? false;
      case 'stop':
        return this.#for(fault.forMs, processes.get(fault.process)?.pause(), signal);
      case 'terminate':
        return (await database.terminateBackend(fault.at)) !== undefined;
      case 'halt':
        return this.#halt(fault.wire, fault.forMs, signal);
      case 'cut':
        wires[fault.wire]?.cut();
        return true;
      case 'down':
      case 'stall': {
        const wire = wires[fault.wire];
        wire?.[fault.kind]();
        return this.#for(fault.forMs, wire && (() => wire.up()), signal);
      }
    }
  }

  #halt(wire: Wire, ms: number, signal: AbortSignal): boolean {
    const server = this.targets.servers[wire];
    if (!server || this.#halted.has(wire)) return false;
    const restarted = server
      .crash()
      .then(() => systemClock.wait(ms, signal))
      .then(() => server.start());
    this.#halted.set(wire, restarted);
    restarted.then(
      () => this.#halted.delete(wire),
      () => undefined, // stays, so that `heal` tells
    );
    return true;
  }

  #for(ms: number, undo: (() => void) | undefined, signal: AbortSignal): boolean {
    if (!undo) return false;
    this.#undo.add(undo);
    void systemClock.wait(ms, signal).then(() => {
      if (this.#undo.delete(undo)) undo();
    });
    return true;
  }
}
