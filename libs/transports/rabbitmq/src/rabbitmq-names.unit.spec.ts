import { RabbitMqNameError } from './rabbitmq.errors';
import { RabbitMqNames } from './rabbitmq-names';

describe('names at the broker', () => {
  const names = new RabbitMqNames('tidings');

  it('tell topic, group and part', () => {
    expect(names.topic('gift.sent')).toBe('tidings.gift.sent');
    expect(names.group('gift.sent', 'ranking')).toBe('tidings.gift.sent/ranking');
    expect(names.lanes('gift.sent', 'ranking', 3, 8)).toBe('tidings.gift.sent/ranking/3of8');
    expect(names.dead('gift.sent', 'ranking')).toBe('tidings.gift.sent/ranking/dead');
  });

  it('are different for different groups, whatever their letters', () => {
    const pairs = [
      ['a.b', 'c'],
      ['a', 'b.c'],
      ['a', 'b/c'],
      ['a/b', 'c'],
      ['a', 'b%2Fc'],
    ] as const;
    expect(new Set(pairs.map(([topic, group]) => names.group(topic, group))).size).toBe(pairs.length);
  });

  it('that AMQP has no room for are refused', () => {
    expect(() => names.topic('礼'.repeat(60))).toThrow(RabbitMqNameError);
    expect(() => names.group('gift.sent', 'g'.repeat(180))).toThrow(RabbitMqNameError);
  });
});
