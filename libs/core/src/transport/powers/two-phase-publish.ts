import type { Message, OutgoingMessage } from '../../message/message';
import type { Transport } from '../transport';

/** How the operation behind a held message went. `unknown`: still under way, or not to be told now; the broker asks again. */
export type TwoPhaseAnswer = 'commit' | 'rollback' | 'unknown';

/** A message that the broker has and shows to nobody. Whoever dies before a decision leaves it to be asked for. */
export interface HeldPublish {
  /** Lets it go to its groups. Once decided, further calls do nothing. Rejects when the broker did not hear of it: then it asks. */
  commit(): Promise<void>;
  /** It never goes. As `commit`. */
  rollback(): Promise<void>;
}

/**
 * Optional power: publish in two phases, held by the broker itself, for those who want no outbox table. The weaker scheme: brokers ask a limited number of
 * times and drop the message then, and a decision that comes late can deliver twice, so that an inbox is needed all the same.
 */
export interface TwoPhasePublish {
  /**
   * Resolves when the broker holds the message. Rejects when it does not, for a reason of `PublishFailure`, and for a delay, which a held message cannot have.
   * Connects first, if nobody has.
   */
  prepare(outgoing: Pick<OutgoingMessage, 'message' | 'stamp' | 'route'>): Promise<HeldPublish>;
  /**
   * Who answers, in this process, for held messages of a topic that nobody decided in time; any process of any sender may be asked, so each that prepares
   * should answer. One a topic: the last one counts. What throws counts as `unknown`. Connects first, if nobody has.
   */
  answerChecks(topic: string, answer: (message: Message) => Promise<TwoPhaseAnswer>): Promise<void>;
}

export const hasTwoPhasePublish = (transport: Transport): transport is Transport & TwoPhasePublish =>
  'prepare' in transport && 'answerChecks' in transport;
