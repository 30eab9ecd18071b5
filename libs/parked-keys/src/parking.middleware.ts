import {
  accept,
  attemptsIn,
  type HandlerDefinition,
  type MessageContext,
  type Middleware,
  type Settlement,
  PARK_RETRY_MS,
  retry,
  type TidingsLogger,
} from '@tidings/core';
import { inboundPlace, type ParkedPlace } from './parked-identity';
import type { ParkedKeys } from './parked-keys';
import type { ParkedMessage } from './parked-message';
import type { HeadFailure } from './sql/park-key';

/** What the middleware asks of the parked keys of a store. */
export type ParksKeys = Pick<ParkedKeys, 'options' | 'isParked' | 'park' | 'follow'>;

export interface ParkingMiddlewareOptions {
  /** The parked keys of a store; undefined: none, the key blocks. */
  readonly parkedKeysOf: (storeName: string) => ParksKeys | undefined;
  readonly logger: TidingsLogger;
}

/** Does a failed message of this handler park its key? */
export const parks = ({ onFailure, subscription }: HandlerDefinition): boolean =>
  onFailure === 'park' && subscription.ordered && !subscription.broadcast;

/**
 * Parks the key of an ordered message that fails, and puts what comes after it behind it; both are accepted at the transport, so that other keys go on.
 *
 * Belongs around the dead letter: what failed for good is buried when it comes here, and its key waits, dead, for a redrive. A crash between the two
 * brings the message again, which fails again and is buried once. Independent of what is inside: it asks only what a delivery settled as.
 *
 * When the key may not be parked (too many are, or too many wait), the message is retried in place, uncounted, and blocks its key at its consumer.
 * What this throws (the store is away) comes again, uncounted, too.
 */
export function parkingMiddleware({ parkedKeysOf, logger }: ParkingMiddlewareOptions): Middleware {
  return async (context, next) => {
    const { handler, message } = context;
    const parked = message.key !== null && parks(handler) ? parkedKeysOf(handler.store) : undefined;
    if (!parked) return next();
    const place = inboundPlace(handler.subscription);
    const { batch } = context.delivery;
    if (await parked.isParked(place, message.key!)) {
      await batch?.turnOf(message); // two of a key in one batch must not swap on their way behind the head
      const [followed] = await parked.follow(place, [parkedOf(context)]);
      if (followed === 'full') return blocked('its key has too many followers');
      if (followed !== 'free') return accept;
    }
    batch?.passed(message);
    return settled(await next());

    async function settled(settlement: Settlement): Promise<Settlement> {
      const failure = failureOf(settlement, context.delivery.attempt);
      if (!failure) return settlement;
      const outcome = await parked!.park(place, parkedOf(context), failure);
      if (outcome === 'full') return blocked('its subscription has too many parked keys', settlement);
      logger.warn({ ...fieldsOf(context, place), ...failure }, 'key parked: its other messages wait behind this one');
      return accept;
    }

    function blocked(why: string, settlement?: Settlement): Settlement {
      logger.warn(fieldsOf(context, place), `a key blocks its consumer instead of being parked: ${why}`);
      return settlement?.kind === 'retry' ? settlement : retry(parked!.options.againAfterMs, { counted: false });
    }
  };
}

/** What parks a key, after a delivery that was the `attempt`th and may have made several; undefined: the settlement is the transport's to act on. */
export function failureOf(settlement: Settlement, attempt: number): HeadFailure | undefined {
  switch (settlement.kind) {
    case 'accept':
      return settlement.buried === undefined ? undefined : { attempts: attempt, reason: settlement.buried };
    case 'retry': {
      if (!settlement.counted) return undefined;
      const reason = settlement.error?.message ?? 'the handler asked for a retry';
      return { delayMs: settlement.afterMs, attempts: attempt - 1 + attemptsIn(settlement), reason };
    }
    case 'park':
      return { delayMs: PARK_RETRY_MS, attempts: attempt - 1, reason: settlement.reason };
    default:
      return undefined;
  }
}

const parkedOf = ({ message, delivery: { stamp } }: MessageContext): ParkedMessage => ({
  message,
  ...(stamp && { stamp }),
});

const fieldsOf = ({ handler, message }: MessageContext, { place }: ParkedPlace): object => ({
  handler: handler.name,
  place,
  key: message.key,
  message: message.id,
});
