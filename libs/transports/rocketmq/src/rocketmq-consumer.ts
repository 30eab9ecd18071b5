import { type MessageView, SimpleConsumer } from 'rocketmq-client-nodejs';
import { clientOptions } from './client-options';
import { guardedStream, inertStream } from './guarded-stream';
import type { RocketMqSettings } from './rocketmq.options';

/** The proxy answers a receive when its wait is over; the client gives it this much longer. */
const REQUEST_MS = 3_000;
/** Code.OK of apache.rocketmq.v2. */
const OK = 20_000;

/** The client's consumer of one topic, made safe to lose its connection and to be shut down without one. */
export class RocketMqConsumer extends SimpleConsumer {
  #ended = false;

  constructor(
    settings: RocketMqSettings,
    readonly place: { readonly topic: string; readonly group: string; readonly tags: string },
  ) {
    super({
      ...clientOptions(settings, REQUEST_MS),
      consumerGroup: place.group,
      subscriptions: new Map([[place.topic, place.tags]]),
      awaitDuration: settings.awaitMs,
      maxRetryAttempts: 1,
    });
  }

  override createTelemetryStream(
    ...args: Parameters<SimpleConsumer['createTelemetryStream']>
  ): ReturnType<SimpleConsumer['createTelemetryStream']> {
    return this.#ended ? inertStream() : guardedStream(super.createTelemetryStream(...args));
  }

  /** False when it is too late: its invisible time is over, or somebody else has it. The client's own `ack` does not tell. */
  async acked(message: MessageView): Promise<boolean> {
    const [entry] = await this.ackMessage(message);
    return entry?.status === undefined || Number(entry.status.code) === OK;
  }

  /** Never rejects. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.shutdown().catch(() => {
      this.topicRouteCache.clear();
      return this.shutdown();
    });
  }
}
