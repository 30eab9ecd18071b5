import { type INestApplicationContext, Injectable } from '@nestjs/common';
import { CallbackDesk, RecheckingPublisher, type ResendQuestion } from '@tidings/callback';
import { confirmed, type Message, type MessageContext, type OutgoingMessage, type Store, type Transport } from '@tidings/core'; // prettier-ignore
import { clientOf, migrate } from '@tidings/database';
import { until } from '@tidings/testing';
import { OnMessage } from '../decorators/on-message.decorator';
import { SpecGround, TRANSPORTS } from '../handling/spec-ground.fixture';
import { MessagingModule } from '../messaging.module';
import type { MessagingOptions } from '../messaging.options';
import { boot, type Gift, GiftSent, inMemory } from '../test-application.fixture';
import { CallbackModule, type CallbackModuleOptions } from './callback.module';
import { OnResend } from './on-resend.decorator';

const GROUPS = {
  'gift.sent': ['ranking', 'late'],
  'tidings.recheck': 'callback',
  'tidings.confirmed': 'callback',
  'tidings.subscribed': 'callback',
  'tidings.resend.spec': 'resend',
};
export type Kind = Exclude<(typeof TRANSPORTS)[number], 'memory'>;
export const KINDS: Kind[] = TRANSPORTS.flatMap((kind) => (kind === 'memory' ? [] : [kind]));
export const SERVICE: CallbackModuleOptions = { graceMs: 100, againMs: 300, maxAgainMs: 300, everyMs: 50 };
export const patient = { withinMs: 25_000 };

@Injectable()
export class Ranking {
  @OnMessage(GiftSent, { group: 'ranking' })
  async rank({ room, coins }: Gift, context: MessageContext): Promise<void> {
    await clientOf(context).query('insert into effect (room, coins) values ($1, $2)', [room, coins]);
  }
}

/** The table `closing` is the business here: a room whose gift was decided. */
@Injectable()
export class Shop {
  @OnResend(GiftSent)
  async again({ id }: ResendQuestion, context: MessageContext): Promise<Gift | undefined> {
    const { rows } = await clientOf(context).query<{ room: string }>('select room from closing where room = $1', [id]);
    return rows[0] && { room: id, coins: 1 };
  }
}

/** A sender and consumer, and the callback service, on one transport that may lose what it has confirmed. */
export class CallbackGround {
  /** What was lost. */
  readonly dropped: Message[] = [];
  /** Whether a message that goes to all of its groups is lost. */
  dropping: (message: Message) => boolean = () => false;
  /** False: the transport has no delay of its own. */
  delays = true;
  readonly #passed: string[] = [];
  #store: Store | undefined;

  private constructor(readonly spec: SpecGround) {}

  static async at(url: string): Promise<CallbackGround> {
    return new CallbackGround(await SpecGround.at(url));
  }

  async reset(): Promise<void> {
    await this.spec.query('truncate effect, closing');
    const [tables] = await this.spec.query<{ t: string | null }>(
      `select string_agg(format('%I.%I', schemaname, tablename), ', ') as t from pg_tables where schemaname = $1 and tablename like 'callback%'`,
      [this.spec.schema],
    );
    if (tables?.t) await this.spec.query(`truncate ${tables.t}`);
    this.dropped.length = 0;
    this.dropping = () => false;
    this.delays = true;
  }

  close(): Promise<void> {
    return this.spec.close();
  }

  /** Of the application that was started last. */
  get store(): Store {
    return this.#store!;
  }

  /**
   * The time that the database tells all processes goes ahead by so much. Never back: a lease that was given up an hour ahead would last for an hour.
   */
  async passTime(interval: string): Promise<void> {
    this.#passed.push(interval);
    const now = ['clock_timestamp()', ...this.#passed.map((one) => `interval ''${one}''`)].join(' + ');
    await this.spec.query(
      `create or replace function ${this.spec.schema}.now() returns timestamptz language sql volatile parallel safe as 'select ${now}'`,
    );
  }

  /** Starts the service, and an application that sends and consumes; resolves when the service expects its group. */
  async start(
    kind: Kind,
    callback: MessagingOptions['callback'] = {},
    providers: (typeof Ranking | typeof Shop)[] = [Ranking, Shop],
    service = SERVICE,
  ) {
    this.#store = this.spec.store();
    const transport = this.#lossy(this.spec.transport(kind, this.#store, GROUPS));
    const { app: serviceApp, desk } = await this.startService(kind, service);
    const app = await this.startApplication(this.#store, transport, callback, providers);
    await until('the subscription is registered', async () => (await desk.subscriptions()).length > 0, patient);
    const rechecking = app.get(RecheckingPublisher);
    const send = (id: string, more: object = {}, fail = false) =>
      this.store.run(async (transaction) => {
        await transaction.query({ text: 'insert into closing values ($1)', values: [id] });
        await rechecking.within(transaction).publish(GiftSent, { room: id, coins: 1 }, { id, ...more });
        if (fail) throw new Error('rolled back');
      });
    return { app, serviceApp, desk, send };
  }

  /** One more process of the service. */
  async startService(kind: Kind, service = SERVICE): Promise<{ app: INestApplicationContext; desk: CallbackDesk }> {
    const store = this.spec.store();
    const transports = { main: this.#lossy(this.spec.twin(kind, store)) };
    const options = { migrate, relay: { pollMs: 50 }, source: 'callback-service', stores: { default: store }, transports }; // prettier-ignore
    const app = await boot(MessagingModule.forRoot(inMemory(options)), { imports: [CallbackModule.forRoot(service)] }); // prettier-ignore
    return { app, desk: app.get(CallbackDesk) };
  }

  /** One more application that takes part, as another process of the last one or as another service. */
  startTwin(kind: Kind, providers: NonNullable<Parameters<typeof boot>[1]>['providers'], source = 'spec') {
    const store = this.spec.store();
    return this.startApplication(store, this.#lossy(this.spec.twin(kind, store)), {}, providers, source);
  }

  async handled(room: string): Promise<number> {
    return (await this.spec.effects(room)).length;
  }

  private startApplication(
    store: Store,
    transport: Transport,
    callback: MessagingOptions['callback'],
    providers: NonNullable<Parameters<typeof boot>[1]>['providers'],
    source = 'spec',
  ): Promise<INestApplicationContext> {
    const options = {
      migrate,
      relay: { pollMs: 50 },
      source,
      stores: { default: store },
      transports: { main: transport },
      callback: { recheckAfterMs: 400, ...callback },
    };
    return boot(MessagingModule.forRoot(inMemory(options)), { providers: [...(providers ?? [])] });
  }

  /** Confirmed by the broker, and then lost by it: what the sender cannot know. */
  #lossy(transport: Transport): Transport {
    const publish: Transport['publish'] = async (messages) => {
      const isLost = ({ message, group }: OutgoingMessage) => group === undefined && this.dropping(message);
      const lost = new Set(messages.filter(isLost));
      this.dropped.push(...[...lost].map(({ message }) => message));
      const results = await transport.publish(messages.filter((one) => !lost.has(one)));
      let next = 0;
      return messages.map((one) => (lost.has(one) ? confirmed : results[next++]!));
    };
    const undelayed = { ...transport.capabilities, delay: 'left out by the spec' };
    return new Proxy(transport, {
      get: (target, property) => {
        if (property === 'publish') return publish;
        if (property === 'capabilities' && !this.delays) return undelayed;
        const value: unknown = Reflect.get(target, property, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  }
}
