import { type INestApplication, Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { DataSource } from 'typeorm';
import request from 'supertest';
import { GiftSent } from '@tidings/gift-contracts';
import { createDemoDatabase, type DemoDatabase, type PlatformConfig, platformConfig } from '@tidings/gift-platform';
import { OnMessage } from '@tidings/messaging';
import { describeOn, Gate, until } from '@tidings/testing';
import { AppModule } from '../app.module';
import { SendGift } from './send-gift';

const ROSE = { roomId: 'lofi', viewerId: 'ann', gift: 'rose', quantity: 2 };

/** Stands for the other apps: whatever gift it hears was delivered by the transport. */
@Injectable()
class Probe {
  readonly heard: GiftSent[] = [];
  /** It hears nothing until this opens. */
  rush: Gate | undefined;

  @OnMessage(GiftSent, { group: 'probe', ordered: true })
  async hear(gift: GiftSent): Promise<void> {
    await this.rush?.opened;
    this.heard.push(gift);
  }
}

describeOn('postgres', 'gift-api', (server) => {
  let database: DemoDatabase;
  let app: INestApplication;

  beforeEach(async () => {
    database = await createDemoDatabase(server);
    app = await start({});
  });

  afterEach(async () => {
    await app.close();
    await database.drop();
  });

  async function start(overrides: Partial<PlatformConfig>): Promise<INestApplication> {
    const config = { ...platformConfig({ DATABASE_URL: database.url }), ...overrides };
    const testing = await Test.createTestingModule({
      imports: [AppModule.register(config)],
      providers: [Probe],
    }).compile();
    return testing.createNestApplication({ logger: false }).init();
  }

  const http = () => request(app.getHttpServer());
  const post = (body: object, key?: string, path = '/gifts') => {
    const posted = http().post(path).send(body);
    return key === undefined ? posted : posted.set('Idempotency-Key', key);
  };
  const heard = (count: number): Promise<GiftSent[]> => {
    const probe = app.get(Probe);
    return until(`${count} gifts were delivered`, () => probe.heard.length === count).then(() => probe.heard);
  };

  it('writes a gift and publishes it', async () => {
    const { status, body } = await post(ROSE);
    expect(status).toBe(201);
    expect(body).toMatchObject({ ...ROSE, streamerId: 'mika', amountMinor: 20, ordinal: 1, idempotencyKey: null });
    const { seq: _, idempotencyKey: __, ...sent } = body;
    expect(await heard(1)).toEqual([sent]);
    expect((await http().get('/gifts')).body).toEqual({ gifts: [body], next: null });
    expect((await http().get('/totals')).body).toMatchObject({ gifts: 1, amountMinor: 20 });
  });

  it('publishes the gifts of one room in the order of their ordinals', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(ROSE)));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(201));
    expect((await heard(20)).map((gift) => gift.ordinal)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
  });

  it('answers a repeated key with the first gift', async () => {
    const first = await post(ROSE, 'key-1');
    const again = await post(ROSE, 'key-1');
    expect([first.status, again.status]).toEqual([201, 200]);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(again.body).toEqual(first.body);
    expect(first.headers['idempotency-replayed']).toBeUndefined();
  });

  it('writes one gift for a key that many clients send at once', async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, () => post(ROSE, 'key-2')));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(11);
    expect(new Set(answers.map(({ body }) => body.giftId)).size).toBe(1);
    expect((await post(ROSE)).body.ordinal).toBe(2);
    expect(await heard(2)).toHaveLength(2);
  });

  it('refuses a key that was used for another gift', async () => {
    await post(ROSE, 'key-3');
    const other = await post({ ...ROSE, quantity: 3 }, 'key-3');
    expect(other.status).toBe(422);
    expect(other.body.message).toContain('Idempotency-Key key-3: was used for another gift (2 × rose by ann in lofi)');
  });

  it.each([
    [{ ...ROSE, gift: 'yacht' }, undefined, 'body.gift: must be one of rose, heart'],
    [{ ...ROSE, quantity: 0 }, undefined, 'body.quantity: '],
    [{ ...ROSE, price: 1 }, undefined, 'Unrecognized key'],
    [{}, undefined, 'body.roomId: '],
    [ROSE, 'two words', 'Idempotency-Key: must be 1 to 128 visible ASCII characters'],
    [ROSE, 'x'.repeat(129), 'Idempotency-Key: must be 1 to 128 visible ASCII characters'],
  ])('refuses %j with key %s and says why', async (body, key, problem) => {
    const answer = await post(body, key);
    expect(answer.status).toBe(400);
    expect(answer.body.message).toContain(problem);
  });

  it('publishes nothing of a transaction that rolls back', async () => {
    const [dataSource, sendGift] = [app.get(DataSource), app.get(SendGift)];
    const lost = dataSource.transaction(async (manager) => {
      await sendGift.write(manager, { ...ROSE, viewerId: 'nobody' }, null);
      throw new RangeError('after the publish');
    });
    await expect(lost).rejects.toThrow(RangeError);
    await post(ROSE);
    expect(await heard(1)).toMatchObject([{ viewerId: 'ann', ordinal: 1 }]);
  });

  it('only enqueues at the intake, and writes the gift when it comes to it', async () => {
    const answers = await Promise.all([post(ROSE, 'key-4', '/intake/gifts'), post(ROSE, 'key-4', '/intake/gifts')]);
    expect(answers.map(({ status }) => status)).toEqual([202, 202]);
    expect((await post(ROSE, undefined, '/intake/gifts')).body).toEqual({ requestId: expect.any(String) });
    expect((await heard(2)).map((gift) => gift.ordinal)).toEqual([1, 2]);
    expect((await http().get('/totals')).body.gifts).toBe(2);
  });

  it('refuses gifts past the backlog limit and says when to come back', async () => {
    await app.close();
    app = await start({ roles: ['publish', 'relay'], backlogLimit: 2 });
    const refused = await (async () => {
      let answer = await post(ROSE);
      await until('gifts are refused', async () => (answer = await post(ROSE)).status === 503);
      return answer;
    })();
    expect(refused.headers['retry-after']).toBe('1');
    expect(refused.body.message).toContain('the limit is 2');
    expect((await post(ROSE, undefined, '/intake/gifts')).status).toBe(503);
    expect((await http().get('/backlog')).body).toMatchObject({ limit: 2 });
    await app.close();
    app = await start({ backlogLimit: 2 });
    await until('gifts are taken again', async () => (await post(ROSE)).status === 201);
  });

  it('refuses part of a rush, and delivers all of what it took', async () => {
    await app.close();
    app = await start({ backlogLimit: 20 });
    const probe = app.get(Probe);
    probe.rush = new Gate();
    const answers: number[] = [];
    const viewers = Array.from({ length: 20 }, async (_, viewer) => {
      for (let gift = 0; gift < 20; gift++)
        answers.push((await post({ ...ROSE, roomId: 'lofi' }, `rush-${viewer}-${gift}`)).status);
    });
    await Promise.all(viewers);
    const taken = answers.filter((status) => status === 201).length;
    const refused = answers.filter((status) => status === 503).length;
    expect(taken + refused).toBe(400);
    expect(refused).toBeGreaterThan(0);
    probe.rush.open();
    expect((await heard(taken)).map((gift) => gift.ordinal)).toEqual(Array.from({ length: taken }, (_, n) => n + 1));
    expect((await http().get('/totals')).body).toMatchObject({ gifts: taken });
  });
});
