import { refusalContractOf } from '@tidings/core';
import type { FoundHandler } from './handler.explorer';

/** A handler as it is, but for `@Compensate`: that one hears, as the group of its service's name, of what was refused of this service's messages. */
export const compensationOf = (found: FoundHandler, source: string): FoundHandler =>
  found.compensates
    ? {
        ...found,
        contract: refusalContractOf(found.compensates, source),
        options: { ...found.options, group: source },
      }
    : found;
