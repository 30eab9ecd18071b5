import type { Behaviour } from './behaviour';
import { whenAProcessIsKilled } from './when-a-process-is-killed';
import { whenBroadcast } from './when-broadcast';
import { whenClosedTwice } from './when-closed-twice';
import { whenKeysAreOrdered } from './when-keys-are-ordered';
import { whenNobodyListens } from './when-nobody-listens';
import { whenPayloadsAreUnusual } from './when-payloads-are-unusual';
import { whenPublished } from './when-published';
import { whenRejected } from './when-rejected';
import { whenRetriedAfterADelay } from './when-retried-after-a-delay';
import { whenStoppedInMidMessage } from './when-stopped-in-mid-message';
import { whenTheConnectionIsCut } from './when-the-connection-is-cut';
import { whenTheHandlerThrows } from './when-the-handler-throws';
import { whenTwoConsumersShareAGroup } from './when-two-consumers-share-a-group';
import { whenTwoGroupsSubscribe } from './when-two-groups-subscribe';

/** Everything a transport owes, in the order of the conformance table. */
export const behaviours: readonly Behaviour[] = [
  ...whenPublished,
  ...whenTheHandlerThrows,
  ...whenRejected,
  ...whenRetriedAfterADelay,
  ...whenTwoConsumersShareAGroup,
  ...whenTwoGroupsSubscribe,
  ...whenBroadcast,
  ...whenKeysAreOrdered,
  ...whenStoppedInMidMessage,
  ...whenClosedTwice,
  ...whenTheConnectionIsCut,
  ...whenAProcessIsKilled,
  ...whenNobodyListens,
  ...whenPayloadsAreUnusual,
];
