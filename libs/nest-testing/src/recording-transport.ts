import type { Clock, OutgoingMessage, PublishResult, Transport } from '@tidings/core';
import { memory, MemoryBroker } from '@tidings/memory';
import type { Recorder } from './recorder';

/** A transport in memory in the place of one of the application's, and the broker behind it. */
export interface ReplacedTransport {
  readonly transport: Transport;
  readonly broker: MemoryBroker;
}

/**
 * What is published to nobody counts as published: the services that listen are elsewhere. A retry, a redrive or a redelivery goes to one group and is no
 * publication.
 */
export function recordingTransport(name: string, clock: Clock, recorder: Recorder): ReplacedTransport {
  const broker = new MemoryBroker({ clock });
  const inMemory = memory({ broker, clock, without: ['unroutable'] });
  const publish = inMemory.publish.bind(inMemory);
  const recorded = async (messages: readonly OutgoingMessage[]): Promise<readonly PublishResult[]> => {
    const results = await publish(messages);
    for (const [index, { message, group, delayMs = 0 }] of messages.entries()) {
      if (results[index]?.outcome !== 'confirmed' || group !== undefined) continue;
      recorder.confirmed(message, name, delayMs > 0 ? clock.now() + delayMs : undefined);
    }
    return results;
  };
  return { transport: Object.assign(inMemory, { publish: recorded }), broker };
}
