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

  it('SIGKILL in mid-batch: the other takes over within the lease; nothing lost, order kept', async () => {
    const prefix = spec.schema;
    const transport = rabbitmq({ urls: rabbit, prefix });
    await transport.connect();
    const received = new RecordingReceive(() => accept);
    const subscription = {
      topic: 'gift.sent',
      group: 'ranking',
      ordered: true,
      broadcast: false,
      concurrency: 20,
      from: 'now',
    } as const;
    await transport.subscribe(subscription, received.receive);
    const orders: RelayOrders = { url, schema: spec.schema, rabbit, prefix, leaseMs: LEASE_MS };

    const outbox = spec.outbox({ main: transport });
    const ids = Array.from({ length: 1_200 }, (_, n) => `g${n}`);
    const publish = (from: number, to: number): Promise<unknown> =>
      spec.dataSource.transaction((manager) =>
        outbox.within(manager).publishAll(
          ids.slice(from, to).map((id, n) => ({
            contract: GiftSent,
            payload: { giftId: id, roomId: `room-${(from + n) % KEYS}`, n: from + n },
            options: { id },
          })),
        ),
      );
    await publish(0, 1); // the destination exists before the relays look
    const victim = await start({ ...orders, hangAfter: 150 });
    const heir = await start(orders);
    for (let from = 1; from < ids.length; from += 60) await publish(from, Math.min(ids.length, from + 60));

    await until('the victim hangs in mid-batch', () => victim.reports.some(({ event }) => event === 'half'));
    victim.child.kill('SIGKILL');
    const killedAt = systemClock.monotonic();
    await received.receivedAll(ids, 20_000);
    const tookMs = systemClock.monotonic() - killedAt;
    expect(tookMs).toBeLessThan(LEASE_MS + 1_500);
    expect(heir.child.exitCode).toBeNull();
    expect(received.ids.length).toBeGreaterThan(ids.length); // the half batch came twice: the kill did hit

    const firsts = [...new Set(received.ids)];
    for (let key = 0; key < KEYS; key++) {
      const ofKey = (id: string): boolean => Number(id.slice(1)) % KEYS === key;
      expect(firsts.filter(ofKey)).toEqual(ids.filter(ofKey));
    }
    const epochs = new Set(received.deliveries.map(({ stamp }) => stamp?.epoch));
    expect(epochs.size).toBeGreaterThan(1);
    await transport.close();

    const connection = await connect(rabbit);
    const channel = await connection.createChannel();
    for (let n = 0; n < 8; n++) await channel.deleteQueue(`${prefix}.gift.sent.ranking.${n}`);
    await channel.deleteExchange(`${prefix}.gift.sent`);
    await connection.close();
  }, 60_000);
});
