import type { FailureRecord } from '@tidings/core';
import { storable, storableStory } from './storable-text';

/** Failures as a jsonb parameter. */
export const storedFailures = (failures: readonly FailureRecord[]): string =>
  JSON.stringify(
    failures.map(({ attempt, at, instance, errors }) => ({
      attempt,
      at: storable(at),
      instance: storable(instance),
      errors: errors.map(({ name, message, stack }) => ({
        name: storableStory(name),
        message: storableStory(message),
        ...(stack && { stack: storableStory(stack) }),
      })),
    })),
  );
