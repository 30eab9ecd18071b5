import { RocketMqNames } from './rocketmq-names';

describe('names of RocketMQ', () => {
  const names = new RocketMqNames('tidings_demo');

  it('are made of what it takes, and stay two when they are two', () => {
    expect(names.group('gift.sent', 'ranking')).toBe('tidings_5fdemo__gift_2esent__ranking');
    const topics = ['a.b', 'a_2eb', 'a_b', 'a-b', 'A-b', 'a__b', 'a b', 'подарок', ''].map((topic) =>
      names.topic(topic),
    );
    expect(new Set(topics).size).toBe(topics.length);
    for (const topic of topics) expect(topic).toMatch(/^[\w-]+$/);
    expect(names.group('a', 'b__c')).not.toBe(names.instance('a', 'b', 'c'));
  });

  it('are refused when they are too long', () => {
    expect(() => names.topic('x'.repeat(127))).toThrow('at most 127 characters');
  });
});
