import { type Behaviour, notApplicable } from './behaviour';
import { behaviours } from './behaviours';
import type { TransportHarness } from './harness';
import { Scene } from './scene';

export * from './behaviour';
export * from './behaviours';
export * from './harness';
export * from './restart-scene';
export * from './scene';

/**
 * Declares a jest test for every behaviour a transport owes, below `conformance › <kind>`. What its capabilities rule out is a skipped test whose
 * title carries the reason; `npm run conformance` reads these titles and holds them against the committed matrix.
 */
export function transportConformance(harness: TransportHarness): void {
  describe('conformance', () => {
    describe(harness.kind, () => {
      beforeAll(async () => harness.open?.(), 60_000);
      afterAll(() => harness.close(), 60_000);

      for (const behaviour of behaviours) {
        const reason = notApplicable(behaviour, harness);
        if (reason !== undefined) {
          it.skip(`${behaviour.name} · not applicable: ${reason}`, () => undefined);
          continue;
        }
        const timeoutMs = (behaviour.timeoutMs ?? 30_000) * (harness.patience ?? 1);
        it(behaviour.name, () => runBehaviour(harness, behaviour), timeoutMs);
      }
    });
  });
}

/** Plays one behaviour. Rejects when the transport does not have it. */
export async function runBehaviour(harness: TransportHarness, behaviour: Behaviour): Promise<void> {
  const scene = new Scene(harness);
  try {
    await behaviour.run(scene);
  } finally {
    await scene.end();
    await harness.afterEach?.();
  }
}
