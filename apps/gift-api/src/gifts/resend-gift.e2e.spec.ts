import { type INestApplication, Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import request from 'supertest';
import { HEADERS, type MessageContext } from '@tidings/core';
import { GiftSent } from '@tidings/gift-contracts';
import { createDemoDatabase, type DemoDatabase, platformConfig } from '@tidings/gift-platform';
import {
  CALLBACK_GROUP,
  MessageRequester,
  OnMessage,
  type PayloadOf,
  Recheck,
  resendRequest,
} from '@tidings/messaging';
import { describeOn, until } from '@tidings/testing';
import { AppModule } from '../app.module';

const ROSE = { roomId: 'lofi', viewerId: 'ann', gift: 'rose', quantity: 2 };
const FAULTS = { drop: 0, rollBack: 0, seed: 1 };

/** Stands for the other apps; no inbox, for it is to hear what comes twice. */
@Injectable()
class Probe {
  readonly heard: { readonly gift: GiftSent; readonly confirm: string | undefined }[] = [];

  @OnMessage(GiftSent, { group: 'probe', level: 'atLeastOnce' })
  hear(gift: GiftSent, { message }: MessageContext): void {
    this.heard.push({ gift, confirm: message.headers[HEADERS.confirm] });
  }
}

/** Stands for the callback service: takes rechecks, and does nothing by itself. */
@Injectable()
class RecheckTaker {
  readonly rechecks: PayloadOf<typeof Recheck>[] = [];

  @OnMessage(Recheck, { group: CALLBACK_GROUP })
  take(recheck: PayloadOf<typeof Recheck>): void {
    this.rechecks.push(recheck);
  }
}

describeOn('postgres', 'gift-api, asked by the callback service', (server) => {
  let database: DemoDatabase;
  let app: INestApplication;

  beforeEach(async () => {
    database = await createDemoDatabase(server);
  });
  afterEach(async () => {
    await app.close();
    await database.drop();
  });

  const start = async (providers: (typeof Probe | typeof RecheckTaker)[], faults = FAULTS): Promise<void> => {
    const config = { ...platformConfig({ DATABASE_URL: database.url, DEMO_CALLBACK: '1', DEMO_HISTORY: '1' }), faults };
    const testing = await Test.createTestingModule({ imports: [AppModule.register(config)], providers }).compile();
    app = await testing.createNestApplication({ logger: false }).init();
  };
  const http = () => request(app.getHttpServer());
  const post = () => http().post('/gifts').send(ROSE);
  const gifts = async (): Promise<unknown[]> => (await http().get('/gifts')).body.gifts;
  /** As the callback service asks about a gift of that id. */
  const ask = (id: string) => {
    const about = { id, source: 'gift-api', type: GiftSent.type, topic: GiftSent.topic, key: ROSE.roomId };
    const sent = { bucket: '2030-05-10', time: '2030-05-10T12:00:00.000Z', headers: { [HEADERS.confirm]: '1' } };
    const question = { ...about, ...sent, transaction: null, groups: ['probe'] };
    return app.get(MessageRequester).request(resendRequest('gift-api'), question);
  };

  it('sends a gift once more as it was, and knows nothing of one that was never given', async () => {
    await start([Probe, RecheckTaker]);
    const { status, body } = await post();
    expect(status).toBe(201);
    const { heard } = app.get(Probe);
    await until('it was delivered', () => heard.length === 1);
    expect(await ask(body.giftId)).toEqual({ answer: 'sent' });
    await until('it was delivered again', () => heard.length === 2);
    expect(heard[1]!.gift).toEqual(heard[0]!.gift);
    expect(heard.map(({ confirm }) => confirm)).toEqual(['1', 'again']);
    expect(await ask('01890a5d-ac96-774b-bcce-b302099a8057')).toEqual({ answer: 'never' });
    expect(heard).toHaveLength(2);
  });

  it('takes no gift while nobody takes its recheck', async () => {
    await start([Probe]);
    expect((await post()).status).toBe(503);
    expect([await gifts(), app.get(Probe).heard]).toEqual([[], []]);
  });

  it('writes and sends nothing when the recheck went out and its sender did not hear so', async () => {
    await start([Probe, RecheckTaker], { ...FAULTS, rollBack: 0.5 });
    const answers = [await post(), await post()].map(({ status }) => status);
    expect([...answers].sort()).toEqual([201, 503]);
    await until('the other was delivered', () => app.get(Probe).heard.length === 1);
    expect(await gifts()).toHaveLength(1);
  });
});
