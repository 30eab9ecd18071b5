import { randomBytes, randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import request from 'supertest';
import { removeTraces } from '@tidings/brokers';
import { refusalTopicOf } from '@tidings/core';
import { GiftRequested, GiftSent, PointsRedeemed } from '@tidings/gift-contracts';
import { achievementsMigrations, createDemoDatabase, type DemoDatabase } from '@tidings/gift-platform';
import { describeOn, server, until } from '@tidings/testing';
import { AppUnderFire } from './app-under-fire.fixture';
import { pointsVerdict } from './points-verdict.fixture';

const TRANSPORTS = ['postgres', ...(server('rabbitmq') ? (['rabbitmq'] as const) : [])] as const;
const GRANTED = 50; // for a rocket
/** What each viewer wants, and what becomes of it. */
const WISHES = [
  ...Array.from({ length: 4 }, () => ({ gift: 'heart', points: 5, refusal: null })),
  ...Array.from({ length: 4 }, () => ({ gift: 'unicorn', points: 5, refusal: 'unicorn is not sold' })),
  ...Array.from({ length: 4 }, () => ({ gift: 'rocket', points: 5, refusal: 'rocket costs 50 points, 5 were paid' })),
].map((wish, index) => ({ ...wish, viewerId: `viewer ${index}`, redemptionId: randomUUID() }));
const REFUSED = WISHES.filter(({ refusal }) => refusal !== null);
/** What the two declare at a broker. */
const GROUPS_OF = new Map<string, readonly string[]>([
  [GiftSent.topic, ['achievements']],
  [GiftRequested.topic, ['gift-intake']],
  [PointsRedeemed.topic, ['gift-api']],
  [refusalTopicOf(PointsRedeemed.topic, 'achievements'), ['achievements']],
]);
const patient = { withinMs: 100_000, everyMs: 100 };

jest.setTimeout(180_000);

describeOn('postgres', 'Points redeemed across two databases, while both sides are killed', (url) => {
  let shared: DemoDatabase;
  let own: DemoDatabase;
  let gifts: Pool;
  let points: Pool;
  let apps: AppUnderFire[];
  let removeQueues: () => Promise<void>;

  beforeEach(async () => {
    shared = await createDemoDatabase(url);
    own = await createDemoDatabase(url, achievementsMigrations);
    [gifts, points] = [shared, own].map(({ url: connectionString }) => new Pool({ connectionString, max: 2 })) as [Pool, Pool]; // prettier-ignore
    apps = [];
    removeQueues = () => Promise.resolve();
  });
  afterEach(async () => {
    for (const app of apps) await app.end();
    await removeQueues();
    await Promise.all([gifts.end(), points.end()]);
    await Promise.all([shared.drop(), own.drop()]);
  });

  const rows = async <Row>(pool: Pool, text: string): Promise<Row[]> => (await pool.query(text)).rows as Row[];
  const entries = () =>
    rows<{ viewerId: string; kind: string; points: number; reference: string }>(points, 'select viewer_id as "viewerId", kind, points::int, reference from achievements.points_entry'); // prettier-ignore
  const count = async (kind: string): Promise<number> => (await entries()).filter((entry) => entry.kind === kind).length; // prettier-ignore

  /** Dies when the points are taken and nothing is committed: its message waits for a lock of ours. */
  const dieBeforeCommit = async (achievements: AppUnderFire, wish: (typeof WISHES)[number]): Promise<void> => {
    const { redemptionId, viewerId, gift, points: paid } = wish;
    const url = await achievements.url(0);
    const holder = await points.connect();
    await holder.query('begin; lock table tidings.message in share mode');
    const redeeming = request(url).put(`/redemptions/${redemptionId}`).send({ viewerId, roomId: 'lofi', gift, points: paid }).then(({ status }) => status, () => 'broken off'); // prettier-ignore
    const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%insert into%message%'`;
    try {
      await until('its message waits', async () => (await rows(points, waiting)).length === 1, patient);
      achievements.kill();
      expect(await redeeming).toBe('broken off');
    } finally {
      await holder.query('rollback');
      holder.release();
    }
    await until('its connection is gone', async () => (await rows(points, waiting)).length === 0, patient);
    expect([await rows(points, 'select from achievements.redemption'), await count('redeemed')]).toEqual([[], 0]);
  };

  it.each(TRANSPORTS)('on %s: every point is granted, spent or refunded, once', async (kind) => {
    const prefix = `points_${randomBytes(4).toString('hex')}`;
    if (kind === 'rabbitmq') removeQueues = () => removeTraces(kind, { url: server(kind)!, prefix }, GROUPS_OF);
    const env = {
      DATABASE_URL: shared.url,
      OWN_DATABASE_URL: own.url,
      TIDINGS_TRANSPORT: kind,
      TIDINGS_PREFIX: prefix,
      RABBITMQ_URL: kind === 'rabbitmq' ? server('rabbitmq')! : '',
      GIFT_LEASE_MS: '1000',
      PORT: '0',
    };
    const start = (name: string, lives: Record<string, string>[]): AppUnderFire => {
      const app = new AppUnderFire(name, env, lives);
      apps.push(app);
      return app;
    };
    const giftApi = start('gift-api', [
      {},
      { DEMO_KILL_STEP: 'handled:points.redeemed:2' },
      { DEMO_KILL_STEP: 'settled:points.redeemed:2' },
      {},
    ]);
    const achievements = start('achievements', [
      {},
      // Nothing leaves the outbox, so that this one dies between its commits and its messages.
      { TIDINGS_ROLES: 'publish' },
      { DEMO_KILL_STEP: 'handled:points.redeemed.refused:2' },
      { DEMO_KILL_STEP: 'settled:points.redeemed.refused:2' },
      {},
    ]);
    await achievements.url(0);
    const shop = await giftApi.url(0);
    for (const { viewerId } of WISHES)
      await request(shop).post('/gifts').send({ roomId: 'lofi', viewerId, gift: 'rocket' }).expect(201);
    await until(`all are granted; ${achievements.said}`, async () => (await count('granted')) === WISHES.length, patient); // prettier-ignore

    await dieBeforeCommit(achievements, WISHES[0]!);
    const counter = await achievements.url(1);
    const redeem = ({ redemptionId, viewerId, gift, points: paid }: (typeof WISHES)[number]) =>
      request(counter).put(`/redemptions/${redemptionId}`).send({ viewerId, roomId: 'lofi', gift, points: paid });
    for (const wish of WISHES) await redeem(wish).expect(200);
    await redeem(WISHES[0]!).expect(200); // repeated, as when its answer got lost
    await redeem({ ...WISHES[0]!, redemptionId: randomUUID(), points: GRANTED + 1 }).expect(422);
    expect([await count('redeemed'), await count('refunded')]).toEqual([WISHES.length, 0]);
    giftApi.kill();
    await giftApi.url(1);
    achievements.kill();

    const settled = async (): Promise<boolean> => {
      const given = await rows(gifts, `select from gift_api.gift where gift = 'heart'`);
      return given.length >= 4 && (await count('refunded')) >= REFUSED.length;
    };
    await until(`all is settled; ${giftApi.said}; ${achievements.said}`, settled, patient);
    // Whatever comes twice comes behind: the last grants, for the gifts that points paid for, are the sign that all went through.
    await until('the last grants', async () => (await count('granted')) >= WISHES.length + 4, patient);
    await until('both died at each step', () => giftApi.deaths.length === 3 && achievements.deaths.length === 4, patient); // prettier-ignore
    expect([...giftApi.deaths, ...achievements.deaths]).toEqual(Array(7).fill('SIGKILL'));
    await giftApi.url(3);
    await achievements.url(4);

    const written = await rows<{ giftId: string; viewerId: string; gift: string; amount: number }>(gifts, 'select gift_id as "giftId", viewer_id as "viewerId", gift, amount_minor::int as amount from gift_api.gift'); // prettier-ignore
    const redemptions = await rows<{ redemptionId: string; viewerId: string; points: number; refusal: string | null }>(points, 'select redemption_id as "redemptionId", viewer_id as "viewerId", points::int, refusal from achievements.redemption'); // prettier-ignore
    const given = new Map<string, number>();
    for (const { viewerId, gift } of written)
      if (gift !== 'rocket') given.set(viewerId, (given.get(viewerId) ?? 0) + 1);
    const problems = pointsVerdict({
      accounts: await rows(points, 'select viewer_id as "viewerId", points::int from achievements.points_account'),
      entries: await entries(),
      redemptions,
      given,
      gifts: written.map(({ giftId, viewerId, amount }) => ({ giftId, viewerId, points: Math.floor(amount / 10) })),
    });
    expect(problems).toEqual([]);
    expect(new Map(redemptions.map(({ redemptionId, refusal }) => [redemptionId, refusal]))).toEqual(new Map(WISHES.map(({ redemptionId, refusal }) => [redemptionId, refusal]))); // prettier-ignore
    expect(written.filter(({ gift }) => gift === 'rocket')).toHaveLength(WISHES.length);
  });
});
