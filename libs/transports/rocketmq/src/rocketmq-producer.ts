import { Producer, type ProducerOptions } from 'rocketmq-client-nodejs';
import { clientOptions } from './client-options';
import { guardedStream, inertStream } from './guarded-stream';
import type { RocketMqSettings } from './rocketmq.options';

/** The client's producer, made safe to lose its connection and to be shut down without one. */
export class RocketMqProducer extends Producer {
  #ended = false;

  /** One attempt a send: whoever publishes decides about the next. */
  constructor(settings: RocketMqSettings, options: Pick<ProducerOptions, 'topics' | 'checker'> = {}) {
    super({ ...clientOptions(settings, settings.confirmTimeoutMs), maxAttempts: 1, ...options });
  }

  override createTelemetryStream(
    ...args: Parameters<Producer['createTelemetryStream']>
  ): ReturnType<Producer['createTelemetryStream']> {
    return this.#ended ? inertStream() : guardedStream(super.createTelemetryStream(...args));
  }

  /** Never rejects. Without routes the client tells nobody that it goes, which is what it fails at when nobody answers. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.shutdown().catch(() => {
      this.topicRouteCache.clear();
      return this.shutdown();
    });
  }
}
