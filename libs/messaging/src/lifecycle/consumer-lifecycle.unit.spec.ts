import { Injectable } from '@nestjs/common';
import { createClock, type MessageContext, silentLogger, type Store, type Transport } from '@tidings/core';
import { OutboxRelay } from '@tidings/outbox';
import { memory, MemoryBroker } from '@tidings/memory';
import { Gate, until } from '@tidings/testing';
import { InjectOutbox } from '../decorators/inject-outbox.decorator';
import { OnMessage } from '../decorators/on-message.decorator';
import { MessagingModule } from '../messaging.module';
import type { MessagingOptions } from '../messaging.options';
import { messagingMigrations } from '../messaging-runtime';
import { MessagePublisher } from '../publishing/message-publisher';
import { boot, closeAll, GiftSent, inMemory, RoomClosed, rose } from '../test-application.fixture';
import { MessagingHealth } from './messaging-health';
import { watchForShutdownHooks } from './shutdown-hook-watch';

const calls: string[] = [];
const gate = { current: new Gate() };

const APPLIED = [createClock, ...messagingMigrations].map(({ id }) => ({ id }));

const storeNamed = (name: string): Store => {
  const store = {
    schema: name,
    // Answers what is asked of it at start: which migrations were applied.
    query: async () => ({ rows: APPLIED, rowCount: APPLIED.length }),
    run: (work: (transaction: unknown) => unknown) => work({}),
    join: () => undefined,
    listen: async () => ({ close: async () => undefined }),
    connect: async () => void calls.push(`connect store ${name}`),
    close: async () => void calls.push(`close store ${name}`),
  };
  return store as unknown as Store;
};

function transportNamed(name: string): Transport {
  const transport = memory({ broker: new MemoryBroker() });
  const record = (method: 'connect' | 'subscribe' | 'close', what = name) => {
    const original = transport[method].bind(transport) as (...args: unknown[]) => Promise<never>;
    transport[method] = (...args: unknown[]) => (calls.push(`${method} ${what}`), original(...args));
  };
  (['connect', 'subscribe', 'close'] as const).forEach((method) => record(method));
  return transport;
}

@Injectable()
class Slow {
  aborted = false;
  handled = 0;
  running = 0;

  constructor(readonly publisher: MessagePublisher) {}

  @OnMessage(GiftSent, { group: 'slow', level: 'atLeastOnce' })
  async handle(): Promise<void> {
    this.running += 1;
    await gate.current.opened;
    await this.publisher.publish(RoomClosed, { room: 'r1' }, { route: 'optional' });
    this.handled += 1;
    calls.push('handled');
  }
}

const options = (more: Partial<MessagingOptions> = {}): MessagingOptions =>
  inMemory({ stores: { default: storeNamed('default') }, transports: { main: transportNamed('main') }, ...more });

describe('The lifecycle of consumers', () => {
  beforeEach(() => {
    calls.splice(0);
    gate.current = new Gate();
    jest.spyOn(OutboxRelay.prototype, 'start').mockImplementation(async () => void calls.push('start relay'));
    jest.spyOn(OutboxRelay.prototype, 'stop').mockImplementation(async () => void calls.push('stop relay'));
  });
  afterEach(async () => {
    gate.current.open();
    await closeAll();
    jest.restoreAllMocks();
  });

  it('starts in order; stops in order, drained, with the publisher open', async () => {
    const migrate = async (_store: Store, migrations: readonly { id: string }[]) =>
      void calls.push(`migrate ${migrations.some(({ id }) => id.startsWith('inbox/'))}`);
    const app = await boot(MessagingModule.forRoot(options({ migrate })), { providers: [Slow] });
    expect(calls.splice(0)).toEqual([
      'connect store default',
      'migrate true',
      'connect main',
      'subscribe main',
      'connect main',
      'start relay',
    ]);
    await app.get(MessagePublisher).publish(GiftSent, rose);
    const slow = app.get(Slow);
    await until('the handler runs', () => slow.running === 1);
    calls.splice(0);
    const closed = app.close();
    await until('it takes no more', async () => {
      const { up, total } = app.get(MessagingHealth).check().consumers;
      return up === 0 && total === 1;
    });
    expect(calls).toEqual([]);
    gate.current.open();
    await closed;
    expect(calls).toEqual(['connect main', 'handled', 'stop relay', 'close main', 'close store default']);
  });

  it('stops handlers whose messages are accepted already, and tells what is lost by that', async () => {
    @Injectable()
    class Once {
      signal: AbortSignal | undefined;
      @OnMessage(RoomClosed, { group: 'once', level: 'atMostOnce' })
      async handle(_payload: object, { signal }: MessageContext): Promise<void> {
        this.signal = signal;
        await gate.current.opened;
      }
    }
    const logger = { ...silentLogger, error: (_fields: object, message: string) => void calls.push(message) };
    const app = await boot(MessagingModule.forRoot(options({ logger, drainMs: 5 })), { providers: [Once] });
    await app.get(MessagePublisher).publish(RoomClosed, { room: 'r1' });
    const once = app.get(Once);
    await until('the handler runs', () => once.signal !== undefined);
    calls.splice(0);
    await app.close();
    expect(once.signal?.aborted).toBe(true);
    expect(calls).toEqual([
      'lost: it was accepted before it was handled (atMostOnce)',
      'stop relay',
      'close main',
      'close store default',
    ]);
  });

  it('waits no longer than drainMs', async () => {
    const app = await boot(MessagingModule.forRoot(options({ drainMs: 5 })), { providers: [Slow] });
    await app.get(MessagePublisher).publish(GiftSent, rose);
    await until('the handler runs', () => app.get(Slow).running === 1);
    await app.close();
    expect(app.get(Slow).handled).toBe(0);
    expect(calls).toContain('close main');
  });

  it('undoes what it has started when the boot fails, and fails with the cause', async () => {
    const transport = transportNamed('main');
    transport.subscribe = () => Promise.reject(new Error('no such queue'));
    const given = MessagingModule.forRoot(options({ transports: { main: transport } }));
    await expect(boot(given, { providers: [Slow] })).rejects.toThrow('no such queue');
    expect(calls).toEqual(['connect store default', 'connect main', 'close main', 'close store default']);
  });

  it.each<[MessagingOptions['roles'], string[]]>([
    [[], []],
    [['publish'], ['connect store default']],
    [['relay'], ['connect store default', 'connect main', 'start relay']],
    [
      ['publish', 'handle'],
      ['connect store default', 'connect main', 'subscribe main'],
    ],
  ])('plays the roles %j only', async (roles, expected) => {
    await boot(MessagingModule.forRoot(options({ roles: roles! })), { providers: [Slow] });
    expect(calls).toEqual(expected);
  });

  it('connects those transports that have handlers', async () => {
    const transports = { main: transportNamed('main'), logs: transportNamed('logs') };
    @Injectable()
    class Logger {
      @OnMessage(GiftSent, { group: 'g', transport: 'logs', store: 'archive' })
      handle(): void {}
    }
    const stores = { archive: storeNamed('archive'), live: storeNamed('live') };
    await boot(MessagingModule.forRoot(options({ stores, transports, roles: ['handle'] })), { providers: [Logger] });
    expect(calls).toEqual(['connect store archive', 'connect store live', 'connect logs', 'subscribe logs']);
  });

  it('fails the boot when an outbox is injected and it is not clear which one', async () => {
    @Injectable()
    class Sender {
      constructor(@InjectOutbox() readonly outbox: object) {}
    }
    const boots = (stores: Record<string, Store>) =>
      boot(MessagingModule.forRoot(options({ stores })), { providers: [Sender] });
    await expect(boots({ one: storeNamed('one'), two: storeNamed('two') })).rejects.toThrow(
      'Sender, which injects an outbox, dead letters or reclaim: expected one store, found several (one, two) and none called "default"; name the one that is meant',
    );
    await expect(boots({})).rejects.toThrow('expected a store, found none; add one to messaging.stores');
    const app = await boots({ one: storeNamed('one') });
    expect(app.get(Sender).outbox).toBeDefined();
  });

  it('injects the outbox of a named store', async () => {
    @Injectable()
    class Sender {
      constructor(
        @InjectOutbox('archive') readonly archive: { store: Store },
        @InjectOutbox() readonly live: { store: Store },
      ) {}
    }
    const given = options({ stores: { archive: storeNamed('archive'), default: storeNamed('live') } });
    const async = { useFactory: () => given };
    for (const messaging of [
      MessagingModule.forRoot(given),
      MessagingModule.forRootAsync({ ...async, storeNames: ['archive'] }),
    ]) {
      const { archive, live } = (await boot(messaging, { providers: [Sender] })).get(Sender);
      expect([archive.store.schema, live.store.schema]).toEqual(['archive', 'live']);
    }
    await expect(boot(MessagingModule.forRootAsync(async), { providers: [Sender] })).rejects.toThrow(
      `Tidings outbox of store "archive" (named in forRoot's stores or in forRootAsync's storeNames)`,
    );
    const unknown = MessagingModule.forRootAsync({ ...async, storeNames: ['archiv'] });
    await expect(boot(unknown)).rejects.toThrow(
      'messaging.storeNames: expected a store of messaging.stores (archive, default), found "archiv"',
    );
  });

  it('reports its health', async () => {
    jest.spyOn(OutboxRelay.prototype, 'failing', 'get').mockReturnValue(new Error('away'));
    const app = await boot(MessagingModule.forRoot(options()), { providers: [Slow] });
    expect(app.get(MessagingHealth).check()).toEqual({
      up: false,
      consumers: { up: 1, total: 1, paused: 0 },
      relays: [{ store: 'default', up: false, lanes: 0, detail: 'cannot read the log: away' }],
      parkedKeys: { default: expect.anything() as object },
      missingGroups: [],
      openCircuits: [],
      transports: { main: { up: true, detail: expect.any(String) as string } },
    });
  });
});

describe('The watch for shutdown hooks', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  const warnings = async (before: (stop: AbortController) => void) => {
    const warned: string[] = [];
    const stop = new AbortController();
    watchForShutdownHooks({ ...silentLogger, warn: (_fields, message) => void warned.push(message) }, stop.signal);
    before(stop);
    await jest.advanceTimersByTimeAsync(60_000);
    return warned;
  };

  it('warns when nobody listens for SIGTERM', async () => {
    const others = process.listeners('SIGTERM');
    process.removeAllListeners('SIGTERM');
    try {
      expect(await warnings(() => undefined)).toEqual([expect.stringContaining('app.enableShutdownHooks()')]);
      expect(await warnings((stop) => stop.abort())).toEqual([]);
    } finally {
      others.forEach((listener) => process.on('SIGTERM', listener));
    }
  });

  it('is content with a listener', async () => {
    const listener = () => undefined;
    process.on('SIGTERM', listener);
    expect(await warnings(() => undefined)).toEqual([]);
    process.off('SIGTERM', listener);
  });
});
