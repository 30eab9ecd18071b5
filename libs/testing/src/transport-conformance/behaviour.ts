import { type CapabilityName, has } from '@tidings/core';
import type { TransportHarness } from './harness';
import type { Scene } from './scene';

/** A statement about every transport, and the scene that proves it. Data, so that the suite can also be run against a broken transport. */
export interface Behaviour {
  /** A row of the conformance table. Renaming one changes the matrix. */
  readonly name: string;
  /** Without one of these the behaviour does not apply, and the capability's sentence is the reason. */
  readonly needs: readonly CapabilityName[];
  /** What the harness must offer beside `create`. */
  readonly harness?: 'cut' | 'process';
  /** Default 30,000. */
  readonly timeoutMs?: number;
  readonly run: (scene: Scene) => Promise<void>;
}

/** Why the behaviour does not apply to this transport; undefined when it does. */
export function notApplicable(
  { name, needs, harness: part }: Pick<Behaviour, 'name' | 'needs' | 'harness'>,
  harness: Pick<TransportHarness, 'capabilities' | 'cut' | 'process' | 'exempt'>,
): string | undefined {
  if (harness.exempt?.[name] !== undefined) return harness.exempt[name];
  for (const needed of needs) {
    const capability = harness.capabilities[needed];
    if (!has(capability)) return `no ${needed}: ${capability}`;
  }
  if (part && !harness[part]) return `the harness offers no ${part}`;
  return undefined;
}
