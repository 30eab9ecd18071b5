import { type Message, messageOf, type NativeDeadLetter } from '@tidings/core';
import { fromRocket, OWN_PROPERTIES, type RocketDelivery } from './rocketmq-mapping';

/** Of a message that the broker itself gave up: it says how often it delivered it, and nothing of why. */
const BROKERS_REASON = 'rocketmq: delivered more often than its group allows';

/** `deliveries`: how often the broker delivered it, 0 when it was put there by a settlement. */
export function letterOf(stored: RocketDelivery, topic: string, deliveries: number): NativeDeadLetter {
  const { message, attempts } = readable(stored, topic);
  const [reason, made] = [stored.properties.get(OWN_PROPERTIES.reason), stored.properties.get(OWN_PROPERTIES.attempts)];
  return {
    message,
    reason: reason === undefined ? BROKERS_REASON : decodeURIComponent(reason).trim(),
    attempts: made === undefined ? attempts + deliveries : Number(made),
  };
}

/** A dead letter may be one because it is no message at all; a person still wants to see it. */
function readable(stored: RocketDelivery, topic: string): { readonly message: Message; readonly attempts: number } {
  try {
    const { message, attempts } = fromRocket(stored, topic);
    return { message, attempts };
  } catch {
    const text = (name: string): string => stored.properties.get(`CE_${name}`) ?? 'unknown';
    const attributes = { id: text('id'), source: text('source'), type: text('type') };
    return { message: messageOf(attributes, stored.body, topic, {}).message, attempts: 0 };
  }
}
