import { Controller, Injectable } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { until } from '@tidings/testing';
import { InjectPublisher } from './decorators/inject-publisher.decorator';
import { OnMessage } from './decorators/on-message.decorator';
import { MessagingModule } from './messaging.module';
import type { MessagingOptions } from './messaging.options';
import { MessagePublisher } from './publishing/message-publisher';
import { boot, closeAll, type Gift, GiftSent, inMemory, rose } from './test-application.fixture';

const once = { group: 'ranking', level: 'atLeastOnce' } as const;

@Injectable()
class RankGift {
  readonly gifts: Gift[] = [];

  constructor(@InjectPublisher() readonly publisher: MessagePublisher) {}

  @OnMessage(GiftSent, once)
  rank(gift: Gift): void {
    this.gifts.push(gift);
  }
}

@Controller()
class BadgeController {
  readonly gifts: Gift[] = [];

  @OnMessage(GiftSent, { ...once, group: 'badges' })
  upgrade(gift: Gift): void {
    this.gifts.push(gift);
  }
}

@Injectable()
class Options {
  createMessagingOptions(): MessagingOptions {
    return inMemory();
  }
}

class OptionsModule {}
const optionsModule = { module: OptionsModule, providers: [Options], exports: [Options] };

describe('MessagingModule', () => {
  afterEach(closeAll);

  it.each([
    ['forRoot', () => MessagingModule.forRoot(inMemory())],
    [
      'forRootAsync by factory',
      () =>
        MessagingModule.forRootAsync({
          imports: [optionsModule],
          inject: [Options],
          useFactory: (options: Options) => Promise.resolve(options.createMessagingOptions()),
        }),
    ],
    ['forRootAsync by class', () => MessagingModule.forRootAsync({ useClass: Options })],
    [
      'forRootAsync by an existing provider',
      () => MessagingModule.forRootAsync({ imports: [optionsModule], useExisting: Options }),
    ],
  ])('delivers what is published to providers and controllers: %s', async (_name, messaging) => {
    const app = await boot(messaging(), { providers: [RankGift], controllers: [BadgeController] });
    const provider = app.get(RankGift);
    const message = await provider.publisher.publish(GiftSent, rose);
    expect(message).toMatchObject({ type: 'gift.sent', key: 'r1', source: 'spec' });
    await until('both handled it', () => provider.gifts.length + app.get(BadgeController).gifts.length === 2);
    expect(provider.gifts).toEqual([rose]);
    expect(app.get(BadgeController).gifts).toEqual([rose]);
  });

  it('works in an application context, without HTTP', async () => {
    class AppModule {}
    const root = { module: AppModule, imports: [MessagingModule.forRoot(inMemory())], providers: [RankGift] };
    const app = await NestFactory.createApplicationContext(root, { logger: false, abortOnError: false });
    await app.get(MessagePublisher).publish(GiftSent, rose);
    await until('it is handled', () => app.get(RankGift).gifts.length === 1);
    await app.close();
  });

  it('keeps two applications of one process apart', async () => {
    const one = await boot({}, { providers: [RankGift] });
    const two = await boot({}, { providers: [RankGift] });
    await one.get(MessagePublisher).publish(GiftSent, rose);
    await two.get(MessagePublisher).publish(GiftSent, { ...rose, coins: 8 });
    await until('each handled its own', () => one.get(RankGift).gifts.length + two.get(RankGift).gifts.length === 2);
    expect(one.get(RankGift).gifts).toEqual([rose]);
    expect(two.get(RankGift).gifts).toEqual([{ ...rose, coins: 8 }]);
    await one.close();
    await two.get(MessagePublisher).publish(GiftSent, rose);
    await until('the other one goes on', () => two.get(RankGift).gifts.length === 2);
  });

  it('is global unless told otherwise', async () => {
    class Feature {}
    const feature = { module: Feature, providers: [RankGift] };
    const local = MessagingModule.forRoot({ ...inMemory(), isGlobal: false });
    await expect(boot(local, { imports: [feature] })).rejects.toThrow(/can't resolve dependencies of the RankGift/);
    await expect(boot({}, { imports: [feature] })).resolves.toBeDefined();
  });
});
