// What a publish takes, commit included, while the log's segments are rotated beside it, and while they are not. 8 callers, store pg.
import { MessageFactory, silentLogger, systemClock } from '@tidings/core';
import { logOf, Outbox } from '@tidings/outbox';
import { SegmentRotation } from '@tidings/postgres-log';
import { gift, GiftSent } from '../gift.mjs';
import { openSchema } from '../own-schema.mjs';
import { median, percentile } from '../rounds.mjs';

const CALLERS = 8;
const EVERY_MS = 50;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const rounded = (ms) => Number(ms.toFixed(2));

export async function rotationRow({ postgres, quick }) {
  const database = await openSchema(postgres, { poolSize: CALLERS });
  const store = database.pgStore();
  const log = logOf(store, systemClock, silentLogger);
  const factory = new MessageFactory('bench', systemClock);
  const outbox = new Outbox({ log, factory, transports: {}, routes: () => [{ transport: 'main' }] });
  const rotation = new SegmentRotation(store, { logger: silentLogger }, { afterMs: 0, archiveMs: 0 });

  /** Milliseconds of each publish. */
  const publishes = async (count) => {
    const took = [];
    let left = count;
    const caller = async () => {
      while (left-- > 0) {
        const from = performance.now();
        // Optional: a row that nobody reads would keep its segment from being emptied.
        await store.run((transaction) =>
          outbox.within(transaction).publish(GiftSent, gift(left), { route: 'optional' }),
        );
        took.push(performance.now() - from);
      }
    };
    await Promise.all(Array.from({ length: CALLERS }, caller));
    return took;
  };
  const rotating = async (count) => {
    let over = false;
    let rotated = 0;
    const turning = (async () => {
      for (; !over; await pause(EVERY_MS)) if ((await rotation.runOnce()) === 'rotated') rotated += 1;
    })();
    const took = await publishes(count);
    over = true;
    await turning;
    return { took, rotated };
  };

  try {
    const count = quick ? 1_000 : 5_000;
    const rounds = 3;
    await publishes(count / 5);
    const quiet = [];
    const turned = [];
    let rotations = 0;
    for (let round = 0; round < rounds; round++) {
      const measured = {};
      const both = [
        async () => (measured.quiet = await publishes(count)),
        async () => (measured.turned = await rotating(count)),
      ];
      for (const one of round % 2 ? both.reverse() : both) await one();
      rotations += measured.turned.rotated;
      quiet.push([rounded(percentile(measured.quiet, 0.5)), rounded(percentile(measured.quiet, 0.99))]);
      turned.push([rounded(percentile(measured.turned.took, 0.5)), rounded(percentile(measured.turned.took, 0.99))]);
    }
    const ratios = turned.map(([, p99], round) => rounded(p99 / quiet[round][1]));
    const figure = (name, pairs) => ({
      name,
      p50Ms: rounded(median(pairs.map(([p50]) => p50))),
      p99Ms: rounded(median(pairs.map(([, p99]) => p99))),
      rounds: pairs,
    });
    return {
      row: 'publish while segments rotate, 8 callers',
      figures: [figure(`${rotations} rotations, one in ${EVERY_MS} ms`, turned), figure('none', quiet)],
      ratio: Math.min(...ratios),
      ratios,
      target: 'p99 ≤ × 1.5, the best of three',
      met: Math.min(...ratios) <= 1.5,
    };
  } finally {
    await log.signals.flush();
    await store.close();
    await database.close();
  }
}
