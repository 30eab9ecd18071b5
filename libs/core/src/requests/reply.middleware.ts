import { asError, TidingsError } from '../errors';
import type { Middleware } from '../handling/middleware';
import type { TidingsLogger } from '../logger';
import { crc32c } from '../message/checksum';
import { HEADERS } from '../message/headers';
import type { Message } from '../message/message';
import { MessageIds } from '../message/message-id';
import { type Clock, dateOf, timestampOf } from '../scheduling/clock';
import { accept } from '../transport/settlement';
import { hasRequestReply } from '../transport/powers/request-reply';
import type { PublishResult } from '../transport/publisher';
import type { Transport } from '../transport/transport';
import { failureBytes } from './responder-failure';

export interface ReplyParts {
  readonly source: string;
  readonly transportOf: (name: string) => Promise<Transport>;
  readonly clock: Clock;
  readonly logger: TidingsLogger;
}

/**
 * Answers requests: with what the handler returned, once its transaction has committed; with its failure, once the policies have given up. A failed
 * request is then done, for whoever asked knows: it is no dead letter. Belongs around the retry and inside of the dead letter.
 *
 * A copy of a request whose handler ran before is not answered again, since its answer is not kept; nor is a message of the contract that was published
 * and not asked. A reply that cannot be sent is logged, and the requester's time-out tells there.
 */
export function replyMiddleware({ source, transportOf, clock, logger }: ReplyParts): Middleware {
  const ids = new MessageIds(() => clock.now());
  const replyOf = (
    request: Message,
    bytes: Uint8Array,
    version: number,
    contentType: string,
    failed: boolean,
  ): Message => {
    const now = clock.now();
    const type = `${request.type}.reply`;
    return {
      id: ids.next(),
      source,
      type,
      version,
      topic: type,
      key: null,
      time: timestampOf(now),
      contentType,
      payload: bytes,
      bucket: dateOf(now),
      generation: 0,
      crc32c: crc32c(bytes),
      headers: {
        [HEADERS.requestId]: request.headers[HEADERS.requestId] ?? request.id,
        [HEADERS.correlationId]: request.headers[HEADERS.correlationId] ?? request.id,
        [HEADERS.causationId]: request.id,
        ...(failed && { [HEADERS.replyFailed]: '1' }),
      },
    };
  };
  const send = async (transport: string, to: string, reply: Message): Promise<void> => {
    const fields = { reply: reply.type, request: reply.headers[HEADERS.causationId] };
    const result = await transportOf(transport)
      .then((found): Promise<PublishResult | undefined> =>
        hasRequestReply(found) ? found.reply(to, reply) : Promise.resolve(undefined),
      )
      .catch((thrown: unknown) => ({ outcome: 'failed', reason: 'transient', error: asError(thrown) }) as const);
    if (result?.outcome === 'confirmed') return;
    if (result?.reason === 'unroutable') logger.debug(fields, 'a reply was dropped: whoever asked is gone');
    else logger.warn({ ...fields, err: result?.error }, 'a reply could not be sent; the requester will time out');
  };

  return async (context, next) => {
    const { message: request, handler } = context;
    const to = request.headers[HEADERS.replyTo];
    if (!handler.reply || to === undefined) return next();
    const settlement = await next();
    if (settlement.kind === 'reject') {
      const error = settlement.error ?? new TidingsError('TIDINGS_REJECTED', settlement.reason);
      logger.warn(
        { handler: handler.name, message: request.id, err: error },
        'a request failed; its requester is told',
      );
      await send(handler.transport, to, replyOf(request, failureBytes(error), 1, 'application/json', true));
      return accept;
    }
    if (settlement.kind !== 'accept') return settlement;
    const { reply } = context;
    if (reply)
      await send(
        handler.transport,
        to,
        replyOf(request, reply, handler.reply.version, handler.reply.contentType, false),
      );
    else logger.debug({ handler: handler.name, message: request.id }, 'a copy of a request that was answered before');
    return settlement;
  };
}
