import type { MessageContract } from '../message/contract';
import { HEADERS } from '../message/headers';
import type { Message } from '../message/message';

/** Who refused a message, and why: what a compensation goes by beside the message's own payload. */
export interface Refusal {
  /** The id of the message that was refused. */
  readonly messageId: string;
  /** The service that refused it: `source` of the refusal. */
  readonly service: string;
  /** The group of that service. Several groups may refuse one message, each once. */
  readonly group: string;
  readonly reason: string;
}

/** A header must pass every broker; the whole story is in the log of whoever refused. */
const MAX_REASON = 1_000;

/** The service that published a message hears of its refusals there, and nobody else does. */
export const refusalTopicOf = (topic: string, source: string): string => `${topic}.refused.${source}`;

/** Does the sender of this message undo what it did when the message is refused? Else a refusal is a dead letter like another. */
export const isRefusable = ({ headers }: Pick<Message, 'headers'>): boolean => headers[HEADERS.refusable] === '1';

/** What a sender reads the refusals of its messages by: the payload is the refused message's, byte for byte, in the version it had. */
export function refusalContractOf(
  contract: MessageContract<unknown, never>,
  source: string,
): MessageContract<unknown, never> {
  return Object.freeze({
    ...contract,
    type: `${contract.type}.refused`,
    topic: refusalTopicOf(contract.topic, source),
    decode: (message: Pick<Message, 'type' | 'version' | 'payload'>) =>
      contract.decode({ type: contract.type, version: message.version, payload: message.payload }),
  });
}

/**
 * The message that tells a sender of a refusal. Its id follows from the message and the group, so that copies of one refusal are one message; time and
 * bucket are the caller's, or the log's.
 */
export function refusalOfMessage(
  message: Message,
  by: { readonly source: string; readonly group: string; readonly reason: string },
  time: string,
): Message {
  const { correlationId, causationId, traceparent, tracestate, tenant, refusedBy, refusedReason } = HEADERS;
  const inherited = [traceparent, tracestate, tenant].flatMap((name) => {
    const value = message.headers[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...message,
    id: `${message.id}/refused/${by.group}`,
    source: by.source,
    type: `${message.type}.refused`,
    topic: refusalTopicOf(message.topic, message.source),
    time,
    bucket: time.slice(0, 10),
    generation: 0,
    headers: {
      ...Object.fromEntries(inherited),
      [correlationId]: message.headers[correlationId] ?? message.id,
      [causationId]: message.id,
      [refusedBy]: by.group,
      [refusedReason]: by.reason.slice(0, MAX_REASON),
    },
  };
}

/** What a refusal's message says of it; of another message the fields are empty. */
export const refusalOf = ({ message: { source, headers } }: { readonly message: Message }): Refusal => ({
  messageId: headers[HEADERS.causationId] ?? '',
  service: source,
  group: headers[HEADERS.refusedBy] ?? '',
  reason: headers[HEADERS.refusedReason] ?? '',
});
