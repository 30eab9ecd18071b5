import { accept, confirmed, crc32c, type Message, type OutgoingMessage, retry } from '@tidings/core';
import { behaviours, runBehaviour } from '@tidings/testing';
import { type Sabotage, sabotaged } from './sabotage.fixture';

type Row = readonly [fault: string, sabotage: Sabotage, red: readonly string[]];

const each = (change: (outgoing: OutgoingMessage) => OutgoingMessage): Sabotage => ({
  outgoing: (messages) => messages.map(change),
});

const FAULTS: readonly Row[] = [
  [
    'ignores the attempt',
    { receive: (receive) => (delivery, signal) => receive({ ...delivery, attempt: 1 }, signal) },
    ['handler throws: retried, attempt counted', 'the attempt goes on counting at another consumer'],
  ],
  [
    'accepts before the handler has ended',
    { receive: (receive) => (delivery, signal) => (void receive(delivery, signal), Promise.resolve(accept)) },
    [
      'handler throws: retried, attempt counted',
      'rejected: dead letter',
      'concurrency is reached and never exceeded',
      'stopped past its drain time: signalled, released, delivered again',
    ],
  ],
  [
    'drops what it held when it stops',
    { dropOn: 'stop' },
    ['stopped in mid-message: drained', 'stopped past its drain time: signalled, released, delivered again'],
  ],
  ['does not wait for its handlers when it stops', { drainMs: 0 }, ['stopped in mid-message: drained']],
  [
    'loses what it held when the connection is cut',
    { dropOn: 'cut' },
    ['connection cut: what was accepted before stays accepted, what was not comes again'],
  ],
  [
    'confirms what the broker did not take',
    { results: (results) => results.map(() => confirmed) },
    ['connection cut: recovered, nothing lost', 'unroutable is reported', 'one result a message, in the order given'],
  ],
  [
    'answers in another order',
    { results: (results) => [...results].reverse() },
    ['one result a message, in the order given'],
  ],
  [
    'swaps the messages of one publish',
    { outgoing: (messages) => [...messages].reverse() },
    ['same key in order with several consumers', 'connection cut: a key keeps its order'],
  ],
  [
    'ignores that a subscription is ordered',
    { subscription: (subscription) => ({ ...subscription, ordered: false }) },
    [
      'same key in order with several consumers',
      'order is kept across a retry, and other keys go on',
      'a key keeps its order when consumers come and go',
    ],
  ],
  [
    'ignores that a subscription is a broadcast',
    { subscription: (subscription) => ({ ...subscription, broadcast: false }) },
    ['broadcast: every consumer gets every message'],
  ],
  [
    'keeps a broadcast for who is away',
    { subscription: (s) => ({ ...s, broadcast: false, group: s.group }) },
    ['broadcast: nothing is kept for a consumer that is away'],
  ],
  [
    'ignores where a group begins',
    { subscription: (s) => ({ ...s, from: 'now' }) },
    ['a new group may begin at the oldest message kept'],
  ],
  [
    'begins every group at the oldest',
    { subscription: (s) => ({ ...s, from: 'earliest' }) },
    ['a new group begins with what is published from now on'],
  ],
  ['treats all groups as one', { subscription: (s) => ({ ...s, group: 'all' }) }, ['two groups both receive']],
  [
    'gives each consumer a group of its own',
    { subscription: (s) => ({ ...s, broadcast: true }) },
    ['two consumers of a group share', 'stopped and started again: what was published meanwhile is received'],
  ],
  [
    'handles one more at once than asked',
    { subscription: (s) => ({ ...s, concurrency: s.concurrency + 1 }) },
    ['concurrency is reached and never exceeded'],
  ],
  [
    'handles one at once, whatever was asked',
    { subscription: (s) => ({ ...s, concurrency: 1 }) },
    ['concurrency is reached and never exceeded'],
  ],
  [
    'sends a retry to every group',
    each(({ message }) => ({ message })),
    ['a message for one group reaches only that group, with its attempts'],
  ],
  [
    'ignores delays',
    {
      ...each(({ delayMs: _, ...outgoing }) => outgoing),
      receive: (receive) => async (delivery, signal) => {
        const settlement = await receive(delivery, signal);
        return settlement.kind === 'retry' ? retry(0, settlement) : settlement;
      },
    },
    ['retry after a delay', 'published with a delay: not before'],
  ],
  [
    'takes a rejection for an acceptance',
    {
      receive: (receive) => async (delivery, signal) =>
        (await receive(delivery, signal)).kind === 'reject' ? accept : retry(0),
    },
    ['rejected: dead letter'],
  ],
  [
    'publishes twice',
    { outgoing: (messages) => [...messages, ...messages], results: (results, asked) => results.slice(0, asked) },
    ['published is received', 'two groups both receive', 'rejected: never delivered again, the others go on'],
  ],
  [
    're-encodes payloads as text',
    each((o) => ({ ...o, message: { ...o.message, payload: Buffer.from(Buffer.from(o.message.payload).toString()) } })),
    ['binary payload'],
  ],
  [
    'folds header names',
    each((o) => ({
      ...o,
      message: {
        ...o.message,
        headers: Object.fromEntries(Object.entries(o.message.headers).map(([k, v]) => [k.toLowerCase(), v])),
      },
    })),
    ['published is received', 'unicode in headers, key and source'],
  ],
  ['drops the stamp', each(({ stamp: _, ...outgoing }) => outgoing), ["a relay's stamp is carried"]],
  [
    'folds topics',
    each((o) => ({ ...o, message: { ...o.message, topic: o.message.topic.toLowerCase() } })),
    ['many topics are isolated'],
  ],
  [
    'gives up listening at the first rejection',
    {
      receive: (receive) => {
        let over = false;
        return async (delivery, signal) => {
          if (over) return new Promise(() => undefined);
          const settlement = await receive(delivery, signal);
          over = settlement.kind === 'reject';
          return settlement;
        };
      },
    },
    [
      'one failure after the other: the subscription goes on',
      'corrupt payload: carried as it is, rejected unhandled, the others go on',
    ],
  ],
  [
    'closes itself with one of its subscriptions',
    { takesDown: 'its transport' },
    ['one consumer stopped: the others of its group go on, and so does its transport'],
  ],
  [
    'closes its neighbours with itself',
    { takesDown: 'the others' },
    ['two applications in one process: one is closed, the other goes on'],
  ],
  [
    'hands out the very message that a handler has changed',
    {
      receive: (receive) => {
        const kept = new Map<string, Message>();
        return (delivery, signal) => {
          const { message } = delivery;
          const same = kept.get(message.id) ?? { ...message, headers: { ...message.headers } };
          kept.set(message.id, same);
          return receive({ ...delivery, message: same }, signal);
        };
      },
    },
    ['what a handler does to headers stays with it: a retry brings those that were published'],
  ],
  [
    'writes a checksum of its own',
    each((o) => ({ ...o, message: { ...o.message, crc32c: crc32c(o.message.payload) } })),
    ['corrupt payload: carried as it is, rejected unhandled, the others go on'],
  ],
  [
    'takes the topic for the type',
    each((o) => ({ ...o, message: { ...o.message, type: o.message.topic } })),
    ['a type and a version that nobody here knows are carried as they are'],
  ],
  [
    'forgets headers at a retry',
    {
      receive: (receive) => (delivery, signal) =>
        receive(
          delivery.attempt === 1 ? delivery : { ...delivery, message: { ...delivery.message, headers: {} } },
          signal,
        ),
    },
    [
      'causation, correlation, trace and tenant are kept, through retries and into the dead letter',
      'priority and time to live are carried, whether the broker heeds them or not',
      'what a handler does to headers stays with it: a retry brings those that were published',
    ],
  ],
  [
    'keeps the headers that it knows to itself',
    each((o) => ({
      ...o,
      message: {
        ...o.message,
        headers: Object.fromEntries(
          Object.entries(o.message.headers).filter(
            ([name]) => !name.startsWith('tidings-') && name !== 'correlationid',
          ),
        ),
      },
    })),
    [
      'causation, correlation, trace and tenant are kept, through retries and into the dead letter',
      'priority and time to live are carried, whether the broker heeds them or not',
    ],
  ],
  [
    'drops what it has delivered before, by the id',
    {
      receive: (receive) => {
        const known = new Set<string>();
        return (delivery, signal) => {
          if (known.has(delivery.message.id)) return Promise.resolve(accept);
          known.add(delivery.message.id);
          return receive(delivery, signal);
        };
      },
    },
    ['published again, as by a redrive: delivered again, during and after the first'],
  ],
  [
    'swaps the messages of a publish beside others',
    { outgoing: (messages) => (messages.length > 1 ? [...messages].reverse() : messages) },
    ['many publish at once: each call keeps the order of its keys'],
  ],
  [
    'takes all there is ahead of its handler',
    {
      subscription: (s) => ({ ...s, concurrency: 1_000 }),
      receive: (receive) => {
        let last: Promise<unknown> = Promise.resolve();
        return (delivery, signal) => {
          const settled = last.then(() => receive(delivery, signal));
          last = settled;
          return settled;
        };
      },
    },
    ['a consumer that is stuck holds what it took, and the others get the rest'],
  ],
];

const named = (name: string) => {
  const behaviour = behaviours.find((one) => one.name === name);
  if (!behaviour) throw new TypeError(`the suite has no behaviour "${name}"`);
  return behaviour;
};

describe('the conformance suite turns red for a transport that', () => {
  describe.each(FAULTS)('%s', (_, sabotage, red) => {
    it.each(red)('at: %s', async (name) => {
      await expect(runBehaviour(sabotaged(sabotage), named(name))).rejects.toThrow();
    });
  });

  it('has no fault: then these same behaviours are green', async () => {
    for (const name of new Set(FAULTS.flatMap(([, , red]) => red)))
      await runBehaviour({ ...sabotaged({}), deadlineMs: 5_000 }, named(name));
  });
});
