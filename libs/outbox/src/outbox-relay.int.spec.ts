import { accept, confirmed, failed, type OutgoingMessage, type PublishResult, type Transport } from '@tidings/core';
import { memory, MemoryBroker } from '@tidings/memory';
import { postgres } from '@tidings/postgres';
import { describeOn, leakWarnings, RecordingReceive, until } from '@tidings/testing';
import { GiftSent, SpecOutbox } from './spec-outbox.fixture';

const subscription = {
  topic: 'gift.sent',
  group: 'ranking',
  ordered: true,
  broadcast: false,
  concurrency: 5,
  from: 'now',
} as const;

describeOn('postgres', 'the relay', (url) => {
  let spec: SpecOutbox;
  let broker: MemoryBroker;
  let main: Transport;
  beforeEach(async () => {
    spec = await SpecOutbox.open(url);
    broker = new MemoryBroker();
    main = memory({ broker });
    await main.connect();
  });
  afterEach(async () => {
    await spec.close();
    await main.close();
  });

  const publish = (count: number, transports: Readonly<Record<string, Transport>> = { main }): Promise<unknown> =>
    spec.dataSource.transaction((manager) =>
      spec
        .outbox(transports)
        .within(manager)
        .publishAll(
          Array.from({ length: count }, (_, n) => ({
            contract: GiftSent,
            payload: { giftId: `g${n}`, roomId: `room-${n % 4}`, n },
            options: { id: `g${n}` },
          })),
        ),
    );
  /** The transport, answering as a broker in trouble would. */
  const answering = (
    answer: (outgoing: OutgoingMessage, turn: number) => PublishResult,
  ): { transport: Transport; sent: string[][] } => {
    const sent: string[][] = [];
    const transport = memory({ broker });
    transport.publish = (messages) => {
      sent.push(messages.map(({ message }) => message.id));
      return Promise.resolve(messages.map((outgoing) => answer(outgoing, sent.length)));
    };
    return { transport, sent };
  };

  it('publishes what was committed, stamped, before it started and after', async () => {
    const received = new RecordingReceive(() => accept);
    await main.subscribe(subscription, received.receive);
    await publish(20);
    await spec.relay({ main }).start();
    await received.received(20);
    const inRoom = received.deliveries.filter(({ message }) => message.key === 'room-1');
    expect(inRoom.map(({ stamp }) => stamp?.sequence)).toEqual([1, 2, 3, 4, 5]);
    expect(inRoom[0]?.message).toMatchObject({
      source: 'gift-api',
      type: 'gift.sent',
      bucket: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
    });
    await spec.dataSource.transaction((manager) =>
      spec.outbox({ main }).within(manager).publish(GiftSent, { giftId: 'x', roomId: 'room-1', n: 0 }),
    );
    await received.received(21);
    expect(received.deliveries[20]?.stamp?.sequence).toBe(6);
  });

  it("one broker's outage stalls only its own messages; nothing is lost when it is back", async () => {
    let away = true;
    const { transport: logs, sent } = answering(() => (away ? failed('transient', new Error('away')) : confirmed));
    const received = new RecordingReceive(() => accept);
    await main.subscribe(subscription, received.receive);
    await spec.relay({ main, logs }).start();
    await publish(20, { main, logs });
    await received.received(20);
    await until('several tries', () => sent.length > 10);
    away = false;
    const confirmedIds = (): Set<string> => new Set(sent.flat());
    await until(
      'all sent',
      async () => confirmedIds().size === 20 && (await spec.outbox({}).backlog()).every((b) => b.messages === 0),
    );
    expect(spec.sink.letters).toEqual([]);
  });

  it('what was confirmed is not sent again because of a neighbour that was not', async () => {
    const { transport, sent } = answering(({ message }, turn) =>
      message.id === 'g4' && turn < 4 ? failed('transient', new Error('nacked')) : confirmed,
    );
    await publish(8);
    await spec.relay({ main: transport }).start();
    await until(
      'all done',
      async () => (await spec.outbox({}).backlog()).every((b) => b.messages === 0) && sent.length > 3,
    );
    const counts = new Map<string, number>();
    for (const id of sent.flat()) counts.set(id, (counts.get(id) ?? 0) + 1);
    expect([...counts.values()].filter((count) => count > 1)).toHaveLength(1);
    expect(counts.get('g4')).toBeGreaterThan(1);
  });

  it('unroutable: tried for its grace time, then a dead letter with the story; a group that comes in time gets it', async () => {
    await spec.relay({ main }, { routeGraceMs: 60_000 }).start();
    await publish(4);
    await until('a try', async () => (await spec.outbox({}).backlog()).some((b) => b.messages > 0));
    const received = new RecordingReceive(() => accept);
    await main.subscribe(subscription, received.receive);
    await received.received(4);
    expect(spec.sink.letters).toEqual([]);
  });

  it('warns of no leaking listeners, however many lanes wait for a group', async () => {
    const { warnings, stop } = leakWarnings();
    let calls = 0;
    const lanes = new Set<string | null>();
    const { transport } = answering(({ message }) => {
      calls += 1;
      lanes.add(message.key);
      return failed('unroutable', new Error('no queue'));
    });
    await spec.dataSource.transaction((manager) =>
      spec
        .outbox({ main: transport })
        .within(manager)
        .publishAll(
          Array.from({ length: 60 }, (_, n) => ({
            contract: GiftSent,
            payload: { giftId: `g${n}`, roomId: `room-${n}`, n },
          })),
        ),
    );
    await spec.relay({ main: transport }, { routeGraceMs: 60_000, backoffMs: 500, maxBackoffMs: 500 }).start();
    await until('several tries of all', () => lanes.size === 60 && calls > 180);
    stop();
    expect(warnings).toEqual([]);
  });

  it('unroutable past its grace time, too large, refused: dead-lettered, the others go on', async () => {
    const { transport } = answering(({ message }) =>
      message.id === 'g1'
        ? failed('unroutable', new Error('no queue'))
        : message.id === 'g2'
          ? failed('too-large', new Error('17 MiB'))
          : message.id === 'g3'
            ? failed('refused', new Error('no'))
            : confirmed,
    );
    await publish(8);
    await spec.relay({ main: transport }, { routeGraceMs: 100 }).start();
    await until('three letters', () => spec.sink.letters.length === 3);
    await until('none left', async () => (await spec.outbox({}).backlog()).every((b) => b.messages === 0));
    const letter = spec.sink.letters.find(({ message }) => message.id === 'g1');
    expect(letter).toMatchObject({
      direction: 'outbound',
      place: 'main/gift.sent',
      reason: expect.stringContaining('unroutable'),
    });
    expect(letter!.attempts).toBeGreaterThan(1);
    expect(letter!.failures[0]?.errors[0]).toMatchObject({ message: 'no queue' });
  });

  it('a dead letter that cannot be stored keeps its message in the log', async () => {
    let storable = false;
    const bury = spec.sink.bury.bind(spec.sink);
    spec.sink.bury = (letter) => (storable ? bury(letter) : Promise.reject(new Error('disk full')));
    const { transport, sent } = answering(() => failed('refused', new Error('no')));
    await publish(1);
    await spec.relay({ main: transport }).start();
    await until('some tries', () => sent.length > 3);
    expect(spec.sink.letters).toEqual([]);
    storable = true;
    await until('the letter', () => spec.sink.letters.length === 1);
  });

  it('a transport that reads this very log gets no relay, and no copy', async () => {
    const own = postgres({ store: spec.store, leaseMs: 1_000 });
    const received = new RecordingReceive(() => accept);
    await own.subscribe(subscription, received.receive);
    await spec.relay({ own }).start();
    await publish(5, { own });
    await received.received(5);
    expect(await spec.rows()).toBe(5);
    await own.close();
  });

  it('a transport on another schema gets copies, once each', async () => {
    const other = await SpecOutbox.open(url);
    const elsewhere = postgres({ store: other.store, leaseMs: 1_000 });
    const received = new RecordingReceive(() => accept);
    await elsewhere.subscribe(subscription, received.receive);
    await spec.relay({ elsewhere }).start();
    await publish(5, { elsewhere });
    await received.received(5);
    expect([await spec.rows(), await other.rows()]).toEqual([5, 5]);
    expect(received.deliveries.every(({ stamp }) => stamp !== undefined)).toBe(true);
    await elsewhere.close();
    await other.close();
  });

  it('starts and stops twice, and in any order', async () => {
    const relay = spec.relay({ main });
    await relay.stop();
    await Promise.all([relay.start(), relay.start()]);
    expect(relay.failing).toBeUndefined();
    await Promise.all([relay.stop(), relay.stop()]);
    await relay.start();
    const received = new RecordingReceive(() => accept);
    await main.subscribe(subscription, received.receive);
    await publish(2);
    await received.received(2);
  });
});
