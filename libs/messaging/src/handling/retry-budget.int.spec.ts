import { Injectable } from '@nestjs/common';
import { fixed, type MessageContext, systemClock } from '@tidings/core';
import { describeOn, until } from '@tidings/testing';
import { OnMessage } from '../decorators/on-message.decorator';
import { type Gift, GiftSent } from '../test-application.fixture';
import { SpecGround, TRANSPORTS } from './spec-ground.fixture';

type Broker = 'postgres' | 'rabbitmq';
const BROKERS: readonly Broker[] = TRANSPORTS.flatMap((name) => (name === 'memory' ? [] : [name]));
const PATIENCE = { withinMs: 60_000 };
const BUDGET = { perSecond: 10, burst: 2 };
const FAILING = 30;

interface Run {
  readonly coins: number;
  readonly attempt: number;
  readonly at: number;
}
let runs: Run[];

/** Of gifts below 100 every first attempt fails. */
async function handle({ coins }: Gift, { attempt }: MessageContext): Promise<void> {
  await Promise.resolve();
  runs.push({ coins, attempt, at: systemClock.monotonic() });
  if (coins < 100 && attempt === 1) throw new Error('the partner is away');
}

const options = { group: 'partners', retry: fixed({ attempts: 2, immediate: 1, delayMs: 0 }), retryBudget: BUDGET };

@Injectable()
class TellPartner {
  @OnMessage(GiftSent, options)
  tell(gift: Gift, context: MessageContext): Promise<void> {
    return handle(gift, context);
  }
}

@Injectable()
class TellPartnerInOrder {
  @OnMessage(GiftSent, { ...options, ordered: true })
  tell(gift: Gift, context: MessageContext): Promise<void> {
    return handle(gift, context);
  }
}

describeOn('postgres', 'The retry budget of a subscription', (url) => {
  let ground: SpecGround;
  const apps: { close(): Promise<void> }[] = [];

  beforeEach(async () => {
    ground = await SpecGround.at(url);
    runs = [];
  });
  afterEach(async () => {
    for (const app of apps.splice(0)) await app.close();
    await ground.close();
  });

  const start = async (kind: Broker, storeKind: 'pg' | 'typeorm', provider: typeof TellPartner) => {
    const store = ground.store(storeKind);
    const transport =
      apps.length === 0 ? ground.transport(kind, store, { 'gift.sent': 'partners' }) : ground.twin(kind, store);
    const started = await ground.start(store, transport, [provider], { parking: { pollMs: 100 } });
    apps.push(started.app);
    return started;
  };

  it.each(
    BROKERS.flatMap((kind) => [
      [kind, 'each by itself', TellPartner] as const,
      [kind, 'of parked keys', TellPartnerInOrder] as const,
    ]),
  )(
    'holds for the retries of two applications together, while first attempts flow: %s, %s',
    async (kind, _, provider) => {
      const [first] = [await start(kind, 'pg', provider), await start(kind, 'typeorm', provider)];
      const failing = Array.from({ length: FAILING }, (__, coins) => ({ room: `r${coins}`, coins }));
      const good = Array.from({ length: FAILING }, (__, n) => ({ room: `r${100 + n}`, coins: 100 + n }));
      await first.send([...failing, ...good]);
      await until('every retry', () => runs.filter(({ attempt }) => attempt === 2).length >= FAILING, PATIENCE);

      const firsts = runs.filter(({ attempt }) => attempt === 1);
      const retries = runs.filter(({ attempt }) => attempt === 2).sort((a, b) => a.at - b.at);
      expect([firsts.length, retries.length, runs.length]).toEqual([2 * FAILING, FAILING, 3 * FAILING]);
      // Of any length of time from the first failure on, no retry is before its token.
      const began = Math.min(...firsts.filter(({ coins }) => coins < 100).map(({ at }) => at));
      const early = retries.filter(
        ({ at }, n) => at - began < ((n + 1 - BUDGET.burst) / BUDGET.perSecond) * 1_000 - 20,
      );
      expect(early).toEqual([]);
      expect(runs.at(-1)!.attempt).toBe(2);
      expect(await first.letters.list()).toEqual([]);
    },
  );
});
