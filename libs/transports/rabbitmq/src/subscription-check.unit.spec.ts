import { OptionsError, type Subscription } from '@tidings/core';
import { rabbitMqSettings, type RabbitMqOptions } from './rabbitmq.options';
import { DeliveryLimitError } from './rabbitmq.errors';
import { checkSubscription } from './subscription-check';

const check =
  (options: Partial<RabbitMqOptions>, subscription: Partial<Subscription> = {}) =>
  () => {
    const whole = { topic: 'gift.sent', group: 'ranking', ordered: false, broadcast: false, concurrency: 1, from: 'now' } as const; // prettier-ignore
    checkSubscription({ ...whole, ...subscription }, rabbitMqSettings({ urls: 'amqp://localhost', ...options }));
  };
const ranking = (group: NonNullable<RabbitMqOptions['groups']>[string]) => ({ groups: { ranking: group } });

describe('options and a subscription', () => {
  it('go together where nothing speaks against it', () => {
    expect(check({})).not.toThrow();
    expect(check(ranking({ queue: { maxPriority: 3 } }))).not.toThrow();
    expect(check(ranking({ queue: { kind: 'quorum', deliveryLimit: 5 } }), { attempts: 5 })).not.toThrow();
    expect(check(ranking({ queue: { kind: 'quorum' } }), { attempts: Infinity })).not.toThrow();
  });

  it('a delivery limit below the retries is refused, both figures named', () => {
    const refused = check(ranking({ queue: { kind: 'quorum', deliveryLimit: 4 } }), { attempts: 5 });
    expect(refused).toThrow(DeliveryLimitError);
    expect(refused).toThrow(/at least the 5 attempts of its retry policies, found 4; raise rabbitmq\.groups\.ranking/);
  });

  it.each([
    ['rabbitmq.groups.ranking.queue.maxPriority', ranking({ queue: { maxPriority: 3 } })],
    ['rabbitmq.topics.gift.sent.routingKey', { topics: { 'gift.sent': { routingKey: () => 'k' } } }],
    ['rabbitmq.groups.ranking.bindings.0', ranking({ bindings: [{ routingKey: 'eu.*' }] })],
  ])('what would break the order of a key is refused: %s', (path, options) => {
    const refused = check(options, { ordered: true });
    expect(refused).toThrow(OptionsError);
    expect(refused).toThrow(path);
  });

  it.each([
    ['rabbitmq.groups.ranking.prefetch', ranking({ prefetch: 199 })],
    ['rabbitmq.prefetch', { prefetch: 199 }],
    ['rabbitmq.groups.ranking.channelPrefetch', ranking({ channelPrefetch: 199 })],
  ])('a prefetch below the size of a batch, which would never be full, is refused: %s', (path, options) => {
    const batching = { places: 1, byType: new Map([['gift.sent', { size: 200, waitMs: 0 }]]) };
    expect(check(options, { batching })).toThrow(OptionsError);
    expect(check(options, { batching })).toThrow(`${path}: must be at least 200`);
    expect(check(options)).not.toThrow();
    expect(check({ prefetch: 199, ...ranking({ prefetch: 200 }) }, { batching })).not.toThrow();
  });

  it('a direct exchange with keys of its own needs to be told which', () => {
    const topics = { 'gift.sent': { type: 'direct', routingKey: () => 'k' } } as const;
    expect(check({ topics })).toThrow('rabbitmq.groups.ranking.bindings');
    expect(check({ topics, ...ranking({ bindings: [{ routingKey: 'k' }] }) })).not.toThrow();
  });
});
