import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { accept, systemClock } from '@tidings/core';
import { rabbitmq } from '@tidings/rabbitmq';
import { describeOn, RecordingReceive, server, until } from '@tidings/testing';
import { connect } from 'amqplib';
import type { RelayOrders, RelayReport } from './relay-process.fixture';
import { GiftSent, SpecOutbox } from './spec-outbox.fixture';

const LEASE_MS = 1_500;
const KEYS = 8;
const IDS = Array.from({ length: 1_200 }, (_, n) => `g${n}`);

describeOn('rabbitmq', 'two relays as two processes', (rabbit) => {
  const url = server('postgres')!;
  let spec: SpecOutbox;
  const children: ChildProcess[] = [];

  const start = async (orders: RelayOrders): Promise<{ child: ChildProcess; reports: RelayReport[] }> => {
    const child = fork(join(__dirname, 'relay-process.fixture.ts'), {
      execArgv: ['--require', join(__dirname, '../../testing/register-sources.cjs')],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    children.push(child);
    const reports: RelayReport[] = [];
    child.on('message', (report: RelayReport) => reports.push(report));
    child.send(orders);
    await until('the relay runs', () => reports.length > 0, { withinMs: 20_000 });
    return { child, reports };
  };

  beforeEach(async () => {
    spec = await SpecOutbox.open(url);
  });
  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await spec.close();
  });

  /** A consumer on the real broker, and 1,200 gifts of eight rooms that are published in small transactions. */
  const scene = async (): Promise<{
    received: RecordingReceive;
    orders: RelayOrders;
    publishAll: () => Promise<void>;
    close: () => Promise<void>;
  }> => {
    const prefix = spec.schema;
    const transport = rabbitmq({ urls: rabbit, prefix });
    await transport.connect();
    const received = new RecordingReceive(() => accept);
    await transport.subscribe(
      { topic: 'gift.sent', group: 'ranking', ordered: true, broadcast: false, concurrency: 20, from: 'now' },
      received.receive,
    );
    const outbox = spec.outbox({ main: transport });
    const publish = (from: number, to: number): Promise<unknown> =>
      spec.dataSource.transaction((manager) =>
        outbox.within(manager).publishAll(
          IDS.slice(from, to).map((id, n) => ({
            contract: GiftSent,
            payload: { giftId: id, roomId: `room-${(from + n) % KEYS}`, n: from + n },
            options: { id },
          })),
        ),
      );
    await publish(0, 1); // the destination exists before the relays look
    return {
      received,
      orders: { url, schema: spec.schema, rabbit, prefix, leaseMs: LEASE_MS },
      publishAll: async () => {
        for (let from = 1; from < IDS.length; from += 60) await publish(from, Math.min(IDS.length, from + 60));
      },
      close: async () => {
        await transport.close();
        const connection = await connect(rabbit);
        const channel = await connection.createChannel();
        const group = `${prefix}.gift.sent/ranking`;
        const queues = [...Array.from({ length: 8 }, (_, n) => `${n}of8`), 'dead', 'shape'];
        for (const queue of queues) await channel.deleteQueue(`${group}/${queue}`);
        for (const exchange of [group, `${prefix}.gift.sent`]) await channel.deleteExchange(exchange);
        await connection.close();
      },
    };
  };

  const expectOrder = (ids: readonly string[]): void => {
    const firsts = [...new Set(ids)];
    for (let key = 0; key < KEYS; key++) {
      const ofKey = (id: string): boolean => Number(id.slice(1)) % KEYS === key;
      expect(firsts.filter(ofKey)).toEqual(IDS.filter(ofKey));
    }
  };

  it('SIGKILL in mid-batch: the other takes over within the lease; nothing lost, order kept', async () => {
    const { received, orders, publishAll, close } = await scene();
    const victim = await start({ ...orders, hangAfter: 150 });
    const heir = await start(orders);
    await publishAll();
    await until('the victim hangs in mid-batch', () => victim.reports.some(({ event }) => event === 'half'));
    victim.child.kill('SIGKILL');
    const killedAt = systemClock.monotonic();
    await received.receivedAll(IDS, 20_000);
    expect(systemClock.monotonic() - killedAt).toBeLessThan(LEASE_MS + 1_500);
    expect(heir.child.exitCode).toBeNull();
    expect(received.ids.length).toBeGreaterThan(IDS.length); // the half batch came twice: the kill did hit
    expectOrder(received.ids);
    expect(new Set(received.deliveries.map(({ stamp }) => stamp?.epoch)).size).toBeGreaterThan(1);
    await close();
  }, 60_000);

  it('SIGSTOP past the lease, SIGCONT: what it still sends is a copy, and it can move no cursor', async () => {
    const { received, orders, publishAll, close } = await scene();
    const victim = await start({ ...orders, hangAfter: 150, hangMs: 3_000 });
    const heir = await start(orders);
    await publishAll();
    await until('the victim is in mid-batch', () => victim.reports.some(({ event }) => event === 'half'));
    victim.child.kill('SIGSTOP');
    await received.receivedAll(IDS, 20_000);
    const cursors = async (): Promise<unknown> =>
      spec.dataSource.query(`select lane, count from ${spec.schema}.cursor where count > 0 order by lane`);
    await until("the heir's last moves", async () => {
      const lanes = (await cursors()) as { count: string }[];
      return lanes.reduce((sum, { count }) => sum + Number(count), 0) === IDS.length;
    });
    const before = await cursors();
    victim.child.kill('SIGCONT');
    await until('it learns that its lanes are lost', () => victim.reports.some(({ event }) => event === 'lost'));
    await until('the rest of its batch', () => received.ids.length > IDS.length);
    expect(await cursors()).toEqual(before);
    expect(heir.reports.some(({ event }) => event === 'lost')).toBe(false);
    expectOrder(received.ids);
    await close();
  }, 60_000);
});
