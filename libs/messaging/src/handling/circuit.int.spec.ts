import { Injectable } from '@nestjs/common';
import { fixed, type MessageContext, type Middleware, systemClock } from '@tidings/core';
import { describeOn, until } from '@tidings/testing';
import { OnMessage } from '../decorators/on-message.decorator';
import { MessagingHealth } from '../lifecycle/messaging-health';
import { type Gift, GiftSent } from '../test-application.fixture';
import { SpecGround, TRANSPORTS } from './spec-ground.fixture';

const OPEN_MS = 300;
type Broker = 'postgres' | 'rabbitmq';
const BROKERS: readonly Broker[] = TRANSPORTS.flatMap((name) => (name === 'memory' ? [] : [name]));
const PATIENCE = { withinMs: 60_000 };

/** What the handlers of this file call. It answers, or is away for everybody. */
class Partner {
  away = true;
  health: MessagingHealth | undefined;
  /** When runs began that began while the circuit was open, on this process's monotonic clock. */
  readonly probes: number[] = [];
  delivered = 0;
  inside = 0;
  most = 0;
  /** Failed attempts of each message that was handled in the end. */
  readonly failed: number[] = [];
  readonly handled: Gift[] = [];
  readonly #before = new WeakSet<MessageContext>();

  get open(): boolean {
    return (this.health?.check().openCircuits.length ?? 0) > 0;
  }

  /** Around everything: a delivery that begins while the circuit is open. */
  readonly watch: Middleware = (context, next) => {
    if (this.open) this.delivered += 1;
    else this.#before.add(context);
    return next();
  };

  async call(gift: Gift, context: MessageContext): Promise<void> {
    const { attempt } = context;
    const probe = this.open && !this.#before.has(context); // one that was on its way when the circuit opened is no probe
    if (probe) {
      this.probes.push(systemClock.monotonic());
      this.most = Math.max(this.most, ++this.inside);
    }
    await new Promise((resolve) => setImmediate(resolve));
    if (probe) this.inside -= 1;
    if (this.away) throw new Error('the partner is away');
    this.failed.push(attempt - 1);
    this.handled.push(gift);
  }
}

let partner: Partner;
const policy = {
  group: 'partners',
  concurrency: 4,
  retry: fixed({ attempts: 2, immediate: 0, delayMs: 0 }),
  circuit: { failures: 3, openMs: OPEN_MS },
};

@Injectable()
class TellPartner {
  @OnMessage(GiftSent, policy)
  tell(gift: Gift, context: MessageContext): Promise<void> {
    return partner.call(gift, context);
  }
}

@Injectable()
class TellPartnerInOrder {
  @OnMessage(GiftSent, { ...policy, ordered: true })
  tell(gift: Gift, context: MessageContext): Promise<void> {
    return partner.call(gift, context);
  }
}

describeOn('postgres', 'The circuit of a subscription', (url) => {
  let ground: SpecGround;
  const apps: { close(): Promise<void> }[] = [];

  beforeEach(async () => {
    ground = await SpecGround.at(url);
    partner = new Partner();
  });
  afterEach(async () => {
    for (const app of apps.splice(0)) await app.close();
    await ground.close();
  });

  const start = async (kind: Broker, provider: typeof TellPartner) => {
    const store = ground.store();
    const transport = ground.transport(kind, store, { 'gift.sent': 'partners' });
    const parking = { pollMs: 100, againAfterMs: 50 };
    const started = await ground.start(store, transport, [provider], { middleware: [partner.watch], parking });
    apps.push(started.app);
    partner.health = started.app.get(MessagingHealth);
    return started;
  };

  it.each(BROKERS)('opens, probes with one message at a time, burns no attempts, and closes: %s', async (kind) => {
    const { send, letters } = await start(kind, TellPartner);
    const gifts = Array.from({ length: 20 }, (_, coins) => ({ room: `r${coins}`, coins }));
    await send(gifts);
    await until('three probes', () => partner.probes.length >= 3, PATIENCE);
    const health = partner.health!.check();
    expect(health).toMatchObject({ up: true, openCircuits: ['partners on gift.sent'] });
    expect(partner.most).toBe(1);
    expect(partner.delivered).toBe(partner.probes.length);
    const gaps = partner.probes.slice(1).map((at, n) => at - partner.probes[n]!);
    expect(Math.min(...gaps)).toBeGreaterThan(OPEN_MS * 0.9);

    partner.away = false;
    await until('every gift', () => partner.handled.length >= gifts.length, PATIENCE);
    expect(partner.handled.map(({ coins }) => coins).sort((a, b) => a - b)).toEqual(gifts.map(({ coins }) => coins));
    // The three that opened it, and nothing of what failed since.
    expect(partner.failed.reduce((sum, failed) => sum + failed, 0)).toBe(3);
    expect(await letters.list()).toEqual([]);
    expect(partner.health!.check().openCircuits).toEqual([]);
  });

  it.each(BROKERS)('keeps parked keys waiting as well, and their order: %s', async (kind) => {
    const { send, letters } = await start(kind, TellPartnerInOrder);
    const rooms = ['a', 'b', 'c', 'd', 'e', 'f'];
    const gifts = [1, 2, 3, 4].flatMap((coins) => rooms.map((room) => ({ room, coins })));
    await send(gifts);
    await until('three probes', () => partner.probes.length >= 3, PATIENCE);
    expect(partner.most).toBe(1);
    expect(await letters.list()).toEqual([]);

    partner.away = false;
    await until('every gift', () => partner.handled.length >= gifts.length, PATIENCE);
    for (const room of rooms)
      expect(partner.handled.filter((gift) => gift.room === room).map(({ coins }) => coins)).toEqual([1, 2, 3, 4]);
    expect(partner.failed.reduce((sum, failed) => sum + failed, 0)).toBe(3);
    expect(await letters.list()).toEqual([]);
    const parked = () => ground.query(`select from ${ground.schema}.parked_key`);
    await until('no parked key', async () => (await parked()).length === 0, PATIENCE);
  });
});
