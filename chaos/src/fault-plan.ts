import { isBroker, type TransportName } from '@tidings/brokers';
import { seededRandom, seedFor } from './random';

export type Wire = 'postgres' | 'broker';

export type Fault = {
  /** From the run's beginning. */
  readonly atMs: number;
} & (
  | { readonly kind: 'kill'; readonly process: string }
  /** SIGSTOP, and SIGCONT after `forMs`: longer than a lease, so that others have taken over. */
  | { readonly kind: 'stop'; readonly process: string; readonly forMs: number }
  /** Breaks all connections at once; new ones pass. */
  | { readonly kind: 'cut'; readonly wire: Wire }
  /** Breaks them and refuses new ones for `forMs`. */
  | { readonly kind: 'down'; readonly wire: Wire; readonly forMs: number }
  /** Passes nothing on for `forMs`, then all of it: a network that hangs. */
  | { readonly kind: 'stall'; readonly wire: Wire; readonly forMs: number }
  /** The server itself is killed, and started again after `forMs`: what it had not written is gone. */
  | { readonly kind: 'halt'; readonly wire: Wire; readonly forMs: number }
  /** pg_terminate_backend of the run's backend at this share (0 to below 1) of their list. */
  | { readonly kind: 'terminate'; readonly at: number }
);

export type FaultKind = Fault['kind'];

export interface FaultPlanOptions {
  readonly seed: number;
  readonly transport: TransportName;
  readonly seconds: number;
  readonly processes: readonly string[];
  readonly leaseMs: number;
}

/** By how often they are drawn. A halt is not: a node needs seconds to come back, so there is one in each `HALT_EVERY_MS`. */
const WEIGHTS: readonly (readonly [Exclude<FaultKind, 'halt'>, number])[] = [
  ['kill', 5],
  ['stop', 3],
  ['cut', 3],
  ['down', 2],
  ['stall', 2],
  ['terminate', 4],
];

const FIRST_AT_MS = 1_500;
/** Between two faults, from … to: some fall into the recovery of the one before. */
const GAP_MS = [300, 2_300] as const;
/** Of down and stall: below a heartbeat's patience and above every immediate retry. */
const OUTAGE_MS = [300, 2_500] as const;
const HALT_EVERY_MS = 20_000;
/** Within these 20 s: late enough that something is under way. */
const HALT_AT_MS = [3_000, 10_000] as const;

/** The faults of a run. Depends on the options only: the same seed, the same faults at the same times, on the same processes. */
export function planFaults({ seed, transport, seconds, processes, leaseMs }: FaultPlanOptions): Fault[] {
  const random = seededRandom(seedFor(seed, 'faults', transport));
  const between = ([from, to]: readonly [number, number]): number => Math.round(from + random() * (to - from));
  const among = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)]!;
  const total = WEIGHTS.reduce((sum, [, weight]) => sum + weight, 0);
  const kind = (): Exclude<FaultKind, 'halt'> => {
    let left = random() * total;
    return (WEIGHTS.find(([, weight]) => (left -= weight) < 0) ?? WEIGHTS[0]!)[0];
  };
  const wires: readonly Wire[] = isBroker(transport) ? ['postgres', 'broker', 'broker'] : ['postgres'];
  const faultAt = (atMs: number): Fault => {
    const drawn = kind();
    switch (drawn) {
      case 'kill':
        return { atMs, kind: drawn, process: among(processes) };
      case 'stop':
        return { atMs, kind: drawn, process: among(processes), forMs: between([1.3 * leaseMs, 2.2 * leaseMs]) };
      case 'cut':
        return { atMs, kind: drawn, wire: among(wires) };
      case 'down':
      case 'stall':
        return { atMs, kind: drawn, wire: among(wires), forMs: between(OUTAGE_MS) };
      case 'terminate':
        return { atMs, kind: drawn, at: random() };
    }
  };
  const faults: Fault[] = [];
  for (let atMs = FIRST_AT_MS; atMs < seconds * 1_000; atMs += between(GAP_MS)) faults.push(faultAt(atMs));
  const halts = seededRandom(seedFor(seed, 'halts', transport));
  for (let beginMs = 0; beginMs < seconds * 1_000; beginMs += HALT_EVERY_MS) {
    const [at, wire, outage] = [halts(), halts(), halts()];
    const atMs = beginMs + Math.round(HALT_AT_MS[0] + at * (HALT_AT_MS[1] - HALT_AT_MS[0]));
    const forMs = Math.round(OUTAGE_MS[0] + outage * (OUTAGE_MS[1] - OUTAGE_MS[0]));
    const which = wires[Math.floor(wire * wires.length)]!;
    if (atMs < seconds * 1_000) faults.push({ atMs, kind: 'halt', wire: which, forMs });
  }
  return faults.sort((a, b) => a.atMs - b.atMs);
}
