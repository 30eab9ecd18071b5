import { type Settlement, TidingsError } from '@tidings/core';

/** Makes `Store.run` roll back; never leaves this file. */
class NotAccepted extends TidingsError {
  constructor(readonly settlement: Settlement) {
    super('TIDINGS_NOT_ACCEPTED', `settled as ${settlement.kind}: what the handler wrote is rolled back`);
  }
}

/**
 * Runs `work` in a transaction of `run` that commits only when it settles as `accept`: a handler that answers `retry` or `reject` must leave no trace,
 * least of all its inbox row. Resolves with the settlement either way; rejects with what `work` or the commit rejected with.
 */
export async function commitOnAccept<Begun extends readonly unknown[]>(
  run: (work: (...begun: Begun) => Promise<Settlement>) => Promise<Settlement>,
  work: (...begun: Begun) => Promise<Settlement>,
): Promise<Settlement> {
  try {
    return await run(async (...begun) => {
      const settlement = await work(...begun);
      if (settlement.kind !== 'accept') throw new NotAccepted(settlement);
      return settlement;
    });
  } catch (thrown) {
    if (thrown instanceof NotAccepted) return thrown.settlement;
    throw thrown;
  }
}
