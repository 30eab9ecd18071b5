import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { type BrokerName, BROKERS, isBroker, type TransportName } from '@tidings/brokers';
import { AppProcess } from './app-process';
import { freePort } from './free-port';

/** Those that are always there, and what looks after unconfirmed gifts. */
export const GIFT_APPS = ['gift-api', 'ranking', 'revenue-share', 'badges', 'room-gateway'] as const;
export const APP_NAMES = [...GIFT_APPS, 'callback-service'] as const;
export type AppName = (typeof APP_NAMES)[number];

export interface AppFleetOptions {
  readonly databaseUrl: string;
  readonly transport: TransportName;
  /** The broker's; not looked at on PostgreSQL. */
  readonly brokerUrl: string;
  /** What tells the screens; undefined: the same. */
  readonly rooms?: { readonly kind: BrokerName; readonly url: string } | undefined;
  /** Before every name at the broker, so that two demos can share it. */
  readonly prefix: string;
  /** False: no app carries the log on to the broker. They share one log, so any one relay would carry all of it. */
  readonly relay: boolean;
  /** True: gifts are rechecked and confirmed, and callback-service is there. */
  readonly callback: boolean;
  /** Gifts waiting, past which gift-api answers 503. */
  readonly backlogLimit?: number;
  /** How long a dead process keeps its lanes. */
  readonly leaseMs?: number;
  /** What the check adds: the history, a sabotage, a kill. */
  readonly env?: Readonly<Record<string, string>>;
  /** As `env`, for one app's first start only. */
  readonly firstEnv?: Partial<Record<AppName, Readonly<Record<string, string>>>>;
  readonly print: (app: AppName, line: string) => void;
}

/** The transport carries no requests: callback-service asks gift-api at this port, which it keeps when it starts again. */
interface AskedByHttp {
  readonly port: number;
  readonly key: string;
}

/** The apps of the demo, each a process of its own. */
export class AppFleet {
  readonly #apps: ReadonlyMap<AppName, AppProcess>;

  private constructor(options: AppFleetOptions, asked: AskedByHttp | undefined) {
    const names: readonly AppName[] = options.callback ? APP_NAMES : GIFT_APPS;
    this.#apps = new Map(names.map((name) => [name, appOf(name, options, asked)]));
  }

  /** Starts none yet. */
  static async of(options: AppFleetOptions): Promise<AppFleet> {
    const { callback, transport } = options;
    const byHttp = callback && isBroker(transport) && !BROKERS[transport].carriesRequests;
    return new AppFleet(options, byHttp ? { port: await freePort(), key: randomBytes(32).toString('base64') } : undefined); // prettier-ignore
  }

  /** Resolves when all are ready. @throws AppStartError of the first that is not; the others are still to be stopped. */
  async start(): Promise<void> {
    await Promise.all([...this.#apps.values()].map((app) => app.start()));
  }

  /** Senders first: what they still publish, the others can still take; and callback-service last, for the others confirm to it. Safe twice. */
  async stop(): Promise<void> {
    await this.#apps.get('gift-api')?.stop();
    await Promise.all(GIFT_APPS.map(async (name) => this.#apps.get(name)?.stop()));
    await this.#apps.get('callback-service')?.stop();
  }

  kill(): void {
    for (const app of this.#apps.values()) app.kill();
  }

  /** As a `kill -9` from outside: the app is started again. */
  crash(name: AppName): void {
    this.#apps.get(name)?.crash();
  }

  /** Undefined while the app is away. */
  urlOf(name: AppName): string | undefined {
    const port = this.#apps.get(name)?.port;
    return port === undefined ? undefined : `http://127.0.0.1:${port}`;
  }

  /** How often it was started, the first time included. */
  startsOf(name: AppName): number {
    return this.#apps.get(name)?.starts ?? 0;
  }
}

function appOf(name: AppName, options: AppFleetOptions, asked: AskedByHttp | undefined): AppProcess {
  const { relay, rooms, backlogLimit, leaseMs, firstEnv } = options;
  return new AppProcess({
    name,
    entry: resolve(__dirname, '../../..', name, 'dist/main.js'),
    env: {
      DATABASE_URL: options.databaseUrl,
      TIDINGS_TRANSPORT: options.transport,
      ...(isBroker(options.transport) && { [BROKERS[options.transport].variable]: options.brokerUrl }),
      ...(rooms && { TIDINGS_ROOMS_TRANSPORT: rooms.kind, [BROKERS[rooms.kind].variable]: rooms.url }),
      TIDINGS_PREFIX: options.prefix,
      TIDINGS_ROLES: relay ? 'publish,relay,handle' : 'publish,handle',
      PORT: asked && name === 'gift-api' ? String(asked.port) : '0',
      ...(asked && {
        GIFT_RESEND_URL: `http://127.0.0.1:${asked.port}/callback/resend`,
        GIFT_RESEND_KEY: asked.key,
      }),
      DEMO_CALLBACK: options.callback ? '1' : '0',
      ...(backlogLimit !== undefined && { GIFT_BACKLOG_LIMIT: String(backlogLimit) }),
      ...(leaseMs !== undefined && { GIFT_LEASE_MS: String(leaseMs) }),
      // Colours only where a person sees them; the pipe between hides the terminal from the app.
      ...(process.stdout.isTTY ? {} : { NO_COLOR: '1' }),
      LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'warn',
      ...options.env,
    },
    ...(firstEnv?.[name] && { firstEnv: firstEnv[name] }),
    print: (line) => options.print(name, line),
  });
}
