import { type NativeDeadLetter, PeriodicTask } from '@tidings/core';
import { deleteNativeDeadLetter, listNativeDeadLetters } from '@tidings/postgres-log';
import type { ResolvedPostgresOptions } from './postgres.options';

/** Only a group without a store files here, and it may get one at a deployment: nobody waits for it. */
const EVERY_MS = 60_000;
const PAGE = 50;

/**
 * Empties a group's native dead letters into a keeper, oldest first: deleted when it is buried. Several processes may do it at once and bury a letter
 * twice, which `bury` must bear anyway. One that cannot be buried is tried again at the next turn, and those behind it wait.
 */
export function deadLetterTaker(
  { topic, group }: { readonly topic: string; readonly group: string },
  bury: (letter: NativeDeadLetter) => Promise<void>,
  { store, namespace, clock, logger }: ResolvedPostgresOptions,
): PeriodicTask {
  return new PeriodicTask({
    name: `dead letters of ${group} on ${topic}`,
    everyMs: EVERY_MS,
    runOnce: async (signal) => {
      const page = await listNativeDeadLetters(store, namespace, topic, group, PAGE);
      for (const { id, letter } of page) {
        if (signal.aborted) return { again: false };
        await bury(letter);
        await deleteNativeDeadLetter(store, id);
      }
      return { again: page.length === PAGE };
    },
    clock,
    logger,
  });
}
