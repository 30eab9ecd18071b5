import { Controller, Inject, Injectable, type INestApplication, Post, UseGuards } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { Store } from '@tidings/core';
import { Outbox } from '@tidings/outbox';
import { describeOn, server, until } from '@tidings/testing';
import request from 'supertest';
import { InjectOutbox } from '../decorators/inject-outbox.decorator';
import { OnMessage } from '../decorators/on-message.decorator';
import { SpecGround } from '../handling/spec-ground.fixture';
import { MessagingModule } from '../messaging.module';
import { closeAll, type Gift, GiftSent, inMemory } from '../test-application.fixture';
import { BacklogGate } from './backlog.gate';

const LIMIT = 5;
const patient = { withinMs: 30_000 };

let handled: number;

@Injectable()
class Ranking {
  @OnMessage(GiftSent, { group: 'ranking' })
  rank(_: Gift): void {
    handled += 1;
  }
}

const STORE = Symbol('the store');

@Controller('gifts')
class Gifts {
  constructor(
    @InjectOutbox() private readonly outbox: Outbox,
    @Inject(STORE) private readonly store: Store,
  ) {}

  @Post()
  @UseGuards(BacklogGate)
  async send(): Promise<void> {
    await this.store.run((transaction) => this.outbox.within(transaction).publish(GiftSent, { room: 'r', coins: 1 }));
  }
}

describe.each(['postgres', 'rabbitmq'] as const)('over %s', (kind) => {
  describeOn(kind, 'a request behind the backlog gate', () => {
    let ground: SpecGround;
    let api: INestApplication | undefined;

    beforeEach(async () => {
      handled = 0;
      ground = await SpecGround.at(server('postgres')!);
    });
    afterEach(async () => {
      await api?.close();
      await closeAll();
      await ground.close();
    });

    it('is refused while too much waits, without a trace, and taken again when the consumers are through', async () => {
      const consuming = ground.store();
      await ground.start(consuming, ground.transport(kind, consuming, { [GiftSent.topic]: 'ranking' }), [Ranking]);
      const store = ground.store('pg', 4);
      const messaging = MessagingModule.forRoot(
        inMemory({
          stores: { default: store },
          transports: { main: ground.twin(kind, store) },
          roles: ['publish'],
          backlogGate: { maxBacklog: LIMIT, resumeAt: 0, retryAfterS: 3, refreshMs: 1 },
        }),
      );
      const module = { imports: [messaging], controllers: [Gifts], providers: [{ provide: STORE, useValue: store }] };
      api = (await Test.createTestingModule(module).compile()).createNestApplication();
      await api.listen(0, '127.0.0.1');
      const post = () => request(api!.getHttpServer() as string).post('/gifts');
      await post().expect(201);
      await until('it is handled', () => handled === 1, patient);

      await closeAll(); // nobody relays or handles
      let taken = 0;
      await until('the gate is shut', async () => (await post()).status === 503 || ++taken > 3 * LIMIT, patient);
      expect(taken).toBeGreaterThanOrEqual(LIMIT);
      expect(taken).toBeLessThanOrEqual(2 * LIMIT);
      const refused = await post();
      expect([refused.status, refused.headers['retry-after']]).toEqual([503, '3']);

      const again = ground.store();
      await ground.start(again, ground.twin(kind, again), [Ranking]);
      await until('all that was taken is handled', () => handled === 1 + taken, patient);
      await until('the gate is open', async () => (await post()).status === 201, patient);
      await until('the last one is handled', () => handled === 2 + taken, patient);
    });
  });
});
