import { asError, type DeliveryBatch, type HandlerDefinition, type Settlement } from '@tidings/core';
import { BatchMember } from './batch-member';
import { BlockedKeys } from './blocked-keys';

/** Settles all members, in their order, in as few transactions as it can. Members of blocked keys are held back. */
export type SettleTogether = (members: readonly BatchMember[], blocked: BlockedKeys) => Promise<void>;

interface Meeting {
  readonly members: BatchMember[];
  /** The runs of this batch, one after the other: a batch holds one connection, also when all of it fails and each is tried again. */
  runs: Promise<void>;
}

/**
 * The innermost part of the chain of a handler that shares its transaction. Each delivery has a chain of its own, with its own log line, retry and dead
 * letter; here they meet, and each gets its own settlement or failure back.
 */
export class SharedTransactionGate {
  readonly #meetings = new WeakMap<DeliveryBatch, Meeting>();

  constructor(private readonly settleTogether: SettleTogether) {}

  readonly join: HandlerDefinition['invoke'] = (payload, context) =>
    new Promise<Settlement>((resolve, reject) => {
      const member = new BatchMember(payload, context, resolve, reject);
      const { delivery } = context;
      if (!delivery.batch) return void this.#run([member], new BlockedKeys());
      const meeting = this.#meetingOf(delivery.batch);
      if (delivery.batch.arrive(delivery)) meeting.members.push(member);
      // An immediate attempt after its batch: alone, and when the batch is done.
      else meeting.runs = meeting.runs.then(() => this.#run([member], new BlockedKeys()));
    });

  #meetingOf(batch: DeliveryBatch): Meeting {
    const known = this.#meetings.get(batch);
    if (known) return known;
    const members: BatchMember[] = [];
    const meeting = { members, runs: batch.complete.then(() => this.#together(batch, members)) };
    this.#meetings.set(batch, meeting);
    return meeting;
  }

  /** Whoever left on his way here, and will come again, goes before those that follow him. */
  #together(batch: DeliveryBatch, members: readonly BatchMember[]): Promise<void> {
    const byMessage = new Map(members.map((member) => [member.context.message, member]));
    const blocked = new BlockedKeys();
    const { ordered } = members[0]!.context.handler.subscription;
    const going: BatchMember[] = [];
    for (const message of batch.messages) {
      const member = byMessage.get(message);
      if (member) going.push(...blocked.pass([member]));
      else if (ordered && batch.comesAgain(message)) blocked.block(message.key);
    }
    return this.#run(going, blocked);
  }

  /** Never rejects, and leaves nobody waiting. */
  async #run(members: readonly BatchMember[], blocked: BlockedKeys): Promise<void> {
    if (members.length === 0) return;
    let failure: Error | undefined;
    try {
      await this.settleTogether(members, blocked);
    } catch (thrown) {
      failure = asError(thrown);
    }
    for (const member of members) {
      if (!member.answered) member.fail(failure ?? new Error(`message ${member.id} of a batch was not settled`));
    }
  }
}
