import { OptionsError } from '@tidings/core';
import type { SubscriptionName } from './subscription-name';

const LONGEST_TEXT = 1_000;
const MOST_CONCURRENCY = 10_000;

/** What an operator may say of a subscription. @throws OptionsError */
export const controlChecks = {
  number(what: string, value: number | null): void {
    if (value === null || (Number.isInteger(value) && value >= 1 && value <= MOST_CONCURRENCY)) return;
    throw new OptionsError(what, `must be null or a whole number from 1 to ${MOST_CONCURRENCY}, found ${value}`);
  },

  name({ group, topic }: SubscriptionName): SubscriptionName {
    return { group: controlChecks.text('group', group), topic: controlChecks.text('topic', topic) };
  },

  text(what: string, text: unknown): string {
    if (typeof text === 'string' && text.trim() !== '' && text.length <= LONGEST_TEXT && !text.includes('\0'))
      return text;
    const found = typeof text === 'string' ? JSON.stringify(text.slice(0, 40)) : typeof text;
    throw new OptionsError(
      `subscriptions.${what}`,
      `must be a text of 1 to ${LONGEST_TEXT} characters, found ${found}`,
    );
  },
};
