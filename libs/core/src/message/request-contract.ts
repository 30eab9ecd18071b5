import type { StandardSchemaV1 } from '@standard-schema/spec';
import { type ContractOptions, defineMessage, type MessageContract } from './contract';

/** A contract whose messages are answered: what is asked, and what the answer looks like. Made by `defineRequest`. */
export interface RequestContract<
  Payload = unknown,
  Input = Payload,
  Reply = unknown,
  ReplyInput = Reply,
> extends MessageContract<Payload, Input> {
  /** Its type is the request's with `.reply` behind it, its version its own. */
  readonly reply: MessageContract<Reply, ReplyInput>;
}

/** The answer's part of a contract. A requester that meets a newer version than it knows fails: deploy requesters before responders. */
export type ReplyOptions<Schema extends StandardSchemaV1> = Pick<
  ContractOptions<Schema>,
  'version' | 'schema' | 'upcast' | 'codec'
>;

export interface RequestContractOptions<
  Schema extends StandardSchemaV1,
  ReplySchema extends StandardSchemaV1,
> extends ContractOptions<Schema> {
  readonly reply: ReplyOptions<ReplySchema>;
}

/**
 * Defines a request and its reply. Both payloads are checked where they are sent and where they arrive.
 *
 * @throws TidingsError as `defineMessage`, for either of them.
 */
export function defineRequest<Schema extends StandardSchemaV1, ReplySchema extends StandardSchemaV1>(
  type: string,
  { reply, ...request }: RequestContractOptions<Schema, ReplySchema>,
): RequestContract<
  StandardSchemaV1.InferOutput<Schema>,
  StandardSchemaV1.InferInput<Schema>,
  StandardSchemaV1.InferOutput<ReplySchema>,
  StandardSchemaV1.InferInput<ReplySchema>
> {
  return Object.freeze({ ...defineMessage(type, request), reply: defineMessage(`${type}.reply`, reply) });
}
