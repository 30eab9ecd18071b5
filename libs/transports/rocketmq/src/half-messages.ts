import { asError, type HeldPublish, type Message, type OutgoingMessage, type TwoPhaseAnswer } from '@tidings/core';
import type { MessageView } from 'rocketmq-client-nodejs';
import { TransactionResolution } from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/definition_pb';
import { started } from './client-options';
import type { PublishingPlaces } from './publishing-places';
import type { RocketMqSettings } from './rocketmq.options';
import { fromRocket, toRocket } from './rocketmq-mapping';
import type { RocketMqNames } from './rocketmq-names';
import { RocketMqProducer } from './rocketmq-producer';

type Answer = (message: Message) => Promise<TwoPhaseAnswer>;

const RESOLUTIONS: Readonly<Record<TwoPhaseAnswer, TransactionResolution>> = {
  commit: TransactionResolution.COMMIT,
  rollback: TransactionResolution.ROLLBACK,
  unknown: TransactionResolution.TRANSACTION_RESOLUTION_UNSPECIFIED,
};

/**
 * RocketMQ's transactional messages. The broker asks any producer that has told it of the topic, so each topic has a producer of its own here, which both sends
 * and answers; one that has no answer says so, and the broker asks again.
 */
export class HalfMessages {
  readonly #producers = new Map<string, Promise<RocketMqProducer>>();
  readonly #answers = new Map<string, Answer>();

  constructor(
    private readonly places: PublishingPlaces,
    private readonly names: RocketMqNames,
    private readonly settings: RocketMqSettings,
  ) {}

  async prepare(outgoing: Pick<OutgoingMessage, 'message' | 'stamp' | 'route'>): Promise<HeldPublish> {
    const { topic } = outgoing.message;
    const place = this.names.half(topic);
    const problem = await this.places.problemOf(outgoing, place, 'TRANSACTION');
    if (problem?.outcome === 'failed') throw problem.error;
    const producer = await this.#producerOf(topic);
    const transaction = producer.beginTransaction();
    const { properties, ...letter } = toRocket(outgoing);
    await producer.send({ ...letter, topic: place, properties: new Map(properties) }, transaction);
    let decided = false;
    const decide = async (decision: () => Promise<void>): Promise<void> => {
      if (decided) return;
      await decision();
      decided = true;
    };
    return { commit: () => decide(() => transaction.commit()), rollback: () => decide(() => transaction.rollback()) };
  }

  async answer(topic: string, answer: Answer): Promise<void> {
    this.#answers.set(topic, answer);
    await this.#producerOf(topic);
  }

  async end(): Promise<void> {
    const ending = [...this.#producers.values()].map(async (producer) => (await producer).end());
    await Promise.allSettled(ending); // one that did not start has ended
  }

  #producerOf(topic: string): Promise<RocketMqProducer> {
    let producer = this.#producers.get(topic);
    if (!producer) {
      producer = this.#start(topic);
      producer.catch(() => this.#producers.delete(topic)); // the next call tries again
      this.#producers.set(topic, producer);
    }
    return producer;
  }

  async #start(topic: string): Promise<RocketMqProducer> {
    const place = this.names.half(topic);
    await this.places.ensure(place, 'TRANSACTION');
    const checker = { check: (view: MessageView) => this.#check(view, topic) };
    const producer = new RocketMqProducer(this.settings, { topics: [place], checker });
    return started(producer, `the producer of half messages on ${place}`, this.settings);
  }

  async #check(view: MessageView, topic: string): Promise<TransactionResolution> {
    try {
      const { message } = fromRocket(view, topic);
      return RESOLUTIONS[(await this.#answers.get(topic)?.(message)) ?? 'unknown'];
    } catch (thrown) {
      this.settings.logger.warn(
        { topic, message: view.messageId, err: asError(thrown) },
        'a check-back failed; the broker asks again',
      );
      return RESOLUTIONS.unknown;
    }
  }
}
