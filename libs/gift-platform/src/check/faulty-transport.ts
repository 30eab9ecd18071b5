import { confirmed, failed, HEADERS, type OutgoingMessage, type PublishResult, TidingsError, type Transport } from '@tidings/core'; // prettier-ignore
import { Recheck } from '@tidings/messaging';
import { seededShare } from './seeded-share';

export interface SenderFaults {
  /** Of the messages that are rechecked: confirmed to their sender, and lost. */
  readonly drop: number;
  /** Of the rechecks: they go out, and their sender does not hear so, and rolls back. */
  readonly rollBack: number;
  readonly seed: number;
}

export type SenderFault = 'dropped' | 'rolled-back';

/** Any two numbers that differ, so that the two faults do not fall on the same gifts. */
const OTHER_SEED = 0x51ed270b;

/**
 * A sender's transport that does what a callback service is there for. Configured by a check alone.
 *
 * - A message that is to be confirmed is dropped *after* it was confirmed: what a broker does that loses its disk. Only the first time that it is sent;
 *   what is sent again goes to a group, and is never dropped. So it is known how many are.
 * - A recheck goes out, and its confirmation is lost: the sender's transaction rolls back, and the callback service asks for a message that never happened.
 *
 * `record` is told of each, and waited for, before the sender goes on.
 */
export function faultyTransport(
  transport: Transport,
  { drop, rollBack, seed }: SenderFaults,
  record: (fault: SenderFault, id: string) => Promise<void>,
): Transport {
  const drops = seededShare(drop, seed);
  const rollsBack = seededShare(rollBack, seed ^ OTHER_SEED);
  const seen = new Set<string>();

  const faultOf = ({ message, group }: OutgoingMessage): SenderFault | undefined => {
    if (group !== undefined || seen.has(message.id)) return undefined;
    const rechecked = message.headers[HEADERS.confirm] !== undefined;
    if (!rechecked && message.type !== Recheck.type) return undefined;
    seen.add(message.id);
    if (rechecked) return drops() ? 'dropped' : undefined;
    return rollsBack() ? 'rolled-back' : undefined;
  };

  const publish: Transport['publish'] = async (messages) => {
    const faults = messages.map(faultOf);
    const sent = await transport.publish(messages.filter((_, index) => faults[index] !== 'dropped'));
    const results = sent[Symbol.iterator]();
    const outcome = async ({ message }: OutgoingMessage, fault: SenderFault | undefined): Promise<PublishResult> => {
      if (fault === 'dropped') return record(fault, message.id).then(() => confirmed);
      const result = results.next().value as PublishResult;
      if (fault === undefined || result.outcome !== 'confirmed') return result;
      await record(fault, (await Recheck.decode(message)).id);
      return failed('transient', new TidingsError('DEMO_ROLL_BACK', 'the check took away the confirmation'));
    };
    return Promise.all(messages.map((one, index) => outcome(one, faults[index])));
  };
  // A proxy keeps whatever optional powers the transport has; methods are bound because its private fields are not the proxy's.
  return new Proxy(transport, {
    get(target, property) {
      if (property === 'publish') return publish;
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
