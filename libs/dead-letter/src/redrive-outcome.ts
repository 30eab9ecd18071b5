import type { Message } from '@tidings/core';
import { letterKeyOf } from './letter-key';
import { outgoingOf } from './letter-redrive';
import type { RedrivenLetters } from './redrive-table';

/**
 * Has the group's inbox seen the message take effect? `unknowable`: that group has none, so only a new letter would ever tell of it.
 */
export type HandledMessage = (
  subscription: { readonly group: string; readonly topic: string },
  message: Message,
) => Promise<'handled' | 'pending' | 'unknowable'>;

export type RedriveOutcome =
  | { readonly kind: 'handled' }
  | { readonly kind: 'failed'; readonly reason: string }
  /** Neither handled nor failed yet. */
  | { readonly kind: 'pending'; readonly knowable: boolean }
  /** Neither, for longer than is waited for. */
  | { readonly kind: 'undecided'; readonly knowable: boolean };

/**
 * What became of a letter that was redriven: outbound ends with the broker's confirmation, or waits again; inbound ends with an inbox row or with another
 * letter.
 */
export async function outcomeOf(
  letters: RedrivenLetters,
  id: string,
  waitMs: number,
  handled: HandledMessage | undefined,
): Promise<RedriveOutcome> {
  const letter = await letters.find(id);
  if (letter?.direction === 'outbound' && letter.status === 'dead')
    return { kind: 'failed', reason: `letter ${id} failed again: ${letter.reason}` };
  if (!letter || letter.direction === 'outbound') return { kind: 'handled' };
  const { message } = outgoingOf(letter);
  const again = await letters.again(letterKeyOf({ ...letter, message }));
  if (again) return { kind: 'failed', reason: `letter ${id} failed again as letter ${again.id}: ${again.reason}` };
  const seen = (await handled?.({ group: letter.place, topic: message.topic }, message)) ?? 'unknowable';
  if (seen === 'handled') return { kind: 'handled' };
  const knowable = seen === 'pending';
  return { kind: (await letters.settledMs(id)) < waitMs ? 'pending' : 'undecided', knowable };
}
