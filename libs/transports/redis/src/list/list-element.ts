import { fromStructuredEvent, type OutgoingMessage, toStructuredEvent, type WireMessage } from '@tidings/core';
import { type Fields, FIELDS, toFields } from '../redis-mapping';

/** Members of an element beside the attributes: how many processes died with it, and that a consumer had begun it before. */
const DEATHS = 'tidingsdeaths';
const BEGUN = 'tidingsbegun';

export interface ElementMessage extends WireMessage {
  readonly deaths: number;
  readonly begun: boolean;
}

/** A message as the element of a list: one structured CloudEvent. */
export const toElement = (outgoing: Pick<OutgoingMessage, 'message' | 'stamp' | 'attempts'>): string =>
  toStructuredEvent(outgoing);

/** @throws TidingsError `TIDINGS_WIRE` */
export function fromElement(element: Buffer, topic: string): ElementMessage {
  const { message, ...wire } = fromStructuredEvent(element, topic);
  const { [DEATHS]: deaths = '0', [BEGUN]: begun, ...headers } = message.headers;
  return {
    ...wire,
    message: { ...message, headers: Object.freeze(headers) },
    deaths: Number(deaths),
    begun: begun !== undefined,
  };
}

/**
 * The element for its next delivery: all else stays as it is, also what only a newer version knows. What is no CloudEvent stays whole.
 */
export function comesAgain(
  element: Buffer,
  { attempts, deaths, begun }: { readonly attempts?: number; readonly deaths?: number; readonly begun?: boolean },
): Buffer | string {
  let event: unknown;
  try {
    event = JSON.parse(element.toString('utf8'));
  } catch {
    return element;
  }
  if (typeof event !== 'object' || event === null || Array.isArray(event)) return element;
  return JSON.stringify({
    ...event,
    ...(attempts !== undefined && { attempts: String(attempts) }),
    ...(deaths !== undefined && { [DEATHS]: String(deaths) }),
    ...(begun && { [BEGUN]: '1' }),
  });
}

/** A dead letter, as the entry of a stream; what cannot be read is kept as it came. */
export function letterFields(element: Buffer, topic: string, reason: string, attempts: number): Fields {
  const why = [FIELDS.reason, reason, FIELDS.attempts, String(attempts)];
  try {
    const read = fromElement(element, topic);
    if (!read.newer) return [...toFields(read), ...why]; // a newer version, written anew, would lose what only it says
  } catch {
    // as it came
  }
  return [FIELDS.data, element, ...why];
}
