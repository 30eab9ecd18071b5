import type { CallbackFigures } from './callback-round';
import { GROUPS } from './evidence';

/** Every gift is confirmed by all, what was lost was sent again, and what was rolled back reached nobody. Empty when all is well. */
export function callbackProblems(found: CallbackFigures | undefined, accepted: number): string[] {
  if (!found) return [];
  const { dropped, dropping, resends, unconfirmed, rolledBack, never, rolledBackInInbox, acceptedInInbox, wornOut } =
    found;
  const entries = accepted * GROUPS.length;
  return [
    dropping && dropped === 0 && 'gift-api: nothing was dropped, so nothing was proved; check more gifts',
    rolledBack === 0 &&
      'gift-api: no transaction rolled back after its recheck, so nothing was proved; check more gifts',
    resends < dropped && `callback-service: ${resends} gifts were sent again, of ${dropped} that were dropped`,
    unconfirmed > 0 && `callback-service: ${unconfirmed} gifts or confirmations of them are open`,
    never < rolledBack && `callback-service: heard of ${never} gifts that never happened, of ${rolledBack} rolled back`,
    wornOut > 0 && `callback-service: gave ${wornOut} gifts up`,
    rolledBackInInbox > 0 && `${rolledBackInInbox} inboxes know a gift that was rolled back`,
    acceptedInInbox !== entries && `inboxes have ${acceptedInInbox} entries of accepted gifts, expected ${entries}`,
  ].filter((problem) => problem !== false);
}
