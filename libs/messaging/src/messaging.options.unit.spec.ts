import { memory } from '@tidings/memory';
import { MessagingModule } from './messaging.module';
import { checkMessagingOptions, type MessagingOptions } from './messaging.options';
import { route } from './publishing/route';
import { boot, GiftSent } from './test-application.fixture';

const good: MessagingOptions = { source: 'gift-api', transports: { main: memory() } };

describe('The options of messaging', () => {
  it('have defaults', () => {
    expect(checkMessagingOptions(good)).toMatchObject({
      source: 'gift-api',
      stores: {},
      routes: [],
      roles: ['publish', 'relay', 'handle'],
      middleware: [],
      drainMs: 10_000,
    });
  });

  it.each<[object, string]>([
    [{ source: '' }, 'messaging.source: expected the name of this service'],
    [{ source: undefined }, 'messaging.source: expected the name of this service'],
    [{ transports: {} }, 'messaging.transports: expected at least one transport, found none'],
    [{ transports: undefined }, 'messaging.transports: expected transports by name, as { main: rabbitmq({ … }) }'],
    [
      { transports: { main: {} } },
      'messaging.transports.main: expected a Transport (rabbitmq({ … }), postgres({ … })), found an object (Object) without connect, publish, subscribe, close, health',
    ],
    [
      { stores: { default: null } },
      'messaging.stores.default: expected a Store (typeorm(dataSource) or pg(pool)), found null without query',
    ],
    [
      { expects: [{ contract: 'gift.sent', groups: ['a'] }] },
      'messaging.expects.0.contract: expected a contract of defineMessage',
    ],
    [
      { expects: [{ contract: GiftSent, groups: [] }] },
      'messaging.expects.0.groups: expected at least one group, found none',
    ],
    [{ expects: [{ contract: GiftSent, groups: [''] }] }, 'messaging.expects.0.groups.0: expected the name of a group'],
    [
      { callback: { expected: [{ contract: GiftSent, groups: [] }] } },
      'messaging.callback.expected.0.groups: expected at least one group, found none',
    ],
    [
      {
        callback: {
          expected: [
            { contract: GiftSent, groups: ['a'] },
            { contract: GiftSent, groups: ['b'] },
          ],
        },
      },
      'messaging.callback.expected.1.contract: expected one entry for gift.sent, found another; name all of its groups in one',
    ],
    [{ roles: ['publish', 'consume'] }, 'messaging.roles.1: expected publish, relay or handle'],
    [{ routes: ['gift.*'] }, "messaging.routes.0: expected route('…').to('…')"],
    [
      { routes: [route('#').to('main'), route('gift.*').to('mian')] },
      'messaging.routes.1: route "gift.*" leads to "mian", which is no transport of messaging.transports (main)',
    ],
    [{ migrate: 'onStart' }, 'messaging.migrate: expected the function `migrate` of @tidings/database, or nothing'],
    [{ middleware: [{}] }, 'messaging.middleware.0: expected a middleware (a function)'],
    [{ drainMs: -1 }, 'messaging.drainMs: '],
    [{ sauce: 1 }, 'messaging: Unrecognized key: "sauce"'],
  ])('%# name the path of what is bad', (bad, message) => {
    expect(() => checkMessagingOptions({ ...good, ...bad })).toThrow(message);
  });

  it('are checked at boot', async () => {
    const options = { ...good, roles: ['consume'] } as unknown as MessagingOptions;
    await expect(boot(MessagingModule.forRoot(options))).rejects.toThrow('messaging.roles.0: expected');
    await expect(boot(MessagingModule.forRootAsync({ useFactory: () => options }))).rejects.toThrow(
      'messaging.roles.0',
    );
  });
});
