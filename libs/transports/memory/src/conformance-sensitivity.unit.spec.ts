import { accept, confirmed, type OutgoingMessage, retry } from '@tidings/core';
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
