import type { Behaviour } from './behaviour';
import { whenAConsumerComesBack } from './when-a-consumer-comes-back';
import { whenAConsumerLeaves } from './when-a-consumer-leaves';
import { whenAGroupIsNew } from './when-a-group-is-new';
import { whenAKeyIsCutOff } from './when-a-key-is-cut-off';
import { whenAProcessIsKilled } from './when-a-process-is-killed';
import { whenAnAttemptIsCutOff } from './when-an-attempt-is-cut-off';
import { whenBroadcast } from './when-broadcast';
import { whenBytesAreChanged } from './when-bytes-are-changed';
import { whenClosedTwice } from './when-closed-twice';
import { whenConsumersAreBusy } from './when-consumers-are-busy';
import { whenKeysAreOrdered } from './when-keys-are-ordered';
import { whenMessagesHaveACause } from './when-messages-have-a-cause';
import { whenNobodyListens } from './when-nobody-listens';
import { whenPaused } from './when-paused';
import { whenPayloadsAreCorrupt } from './when-payloads-are-corrupt';
import { whenPayloadsAreUnusual } from './when-payloads-are-unusual';
import { whenPublished } from './when-published';
import { whenPublishedAgain } from './when-published-again';
import { whenRejected } from './when-rejected';
import { whenReleased } from './when-released';
import { whenRetriedAfterADelay } from './when-retried-after-a-delay';
import { whenStoppedInMidMessage } from './when-stopped-in-mid-message';
import { whenTheConnectionIsCut } from './when-the-connection-is-cut';
import { whenTheHandlerThrows } from './when-the-handler-throws';
import { whenThereAreManyTopics } from './when-there-are-many-topics';
import { whenTwoApplicationsShareAProcess } from './when-two-applications-share-a-process';
import { whenTwoConsumersShareAGroup } from './when-two-consumers-share-a-group';
import { whenTwoGroupsSubscribe } from './when-two-groups-subscribe';

/** Everything a transport owes, in the order of the conformance table. */
export const behaviours: readonly Behaviour[] = [
  ...whenPublished,
  ...whenPublishedAgain,
  ...whenTheHandlerThrows,
  ...whenReleased,
  ...whenRejected,
  ...whenRetriedAfterADelay,
  ...whenTwoConsumersShareAGroup,
  ...whenTwoGroupsSubscribe,
  ...whenAGroupIsNew,
  ...whenThereAreManyTopics,
  ...whenBroadcast,
  ...whenKeysAreOrdered,
  ...whenAConsumerLeaves,
  ...whenConsumersAreBusy,
  ...whenPaused,
  ...whenStoppedInMidMessage,
  ...whenAConsumerComesBack,
  ...whenClosedTwice,
  ...whenTwoApplicationsShareAProcess,
  ...whenTheConnectionIsCut,
  ...whenAnAttemptIsCutOff,
  ...whenAKeyIsCutOff,
  ...whenAProcessIsKilled,
  ...whenNobodyListens,
  ...whenPayloadsAreUnusual,
  ...whenPayloadsAreCorrupt,
  ...whenBytesAreChanged,
  ...whenMessagesHaveACause,
];
