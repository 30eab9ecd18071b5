import { asError, systemClock } from '@tidings/core';
import type { TcpProxy } from '@tidings/testing';
import type { Fault, FaultKind, Wire } from './fault-plan';
import type { RunDatabase } from './run-database';
import type { SupervisedProcess } from './supervised-process';

export interface FaultTargets {
  readonly processes: ReadonlyMap<string, SupervisedProcess>;
  readonly wires: Readonly<Record<Wire, TcpProxy | undefined>>;
  readonly database: RunDatabase;
  readonly print: (line: string) => void;
}

/** Does what a plan says, at its times. A fault that found nothing to break (a process between two lives) is not counted. */
export class FaultInjector {
  readonly #done = new Map<FaultKind, number>();
  readonly #undo = new Set<() => void>();

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

  /** Ends every outage and wakes every process that is stopped. */
  heal(): void {
    for (const undo of this.#undo) undo();
    this.#undo.clear();
    for (const wire of Object.values(this.targets.wires)) wire?.up();
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

  #for(ms: number, undo: (() => void) | undefined, signal: AbortSignal): boolean {
    if (!undo) return false;
    this.#undo.add(undo);
    void systemClock.wait(ms, signal).then(() => {
      if (this.#undo.delete(undo)) undo();
    });
    return true;
  }
}
