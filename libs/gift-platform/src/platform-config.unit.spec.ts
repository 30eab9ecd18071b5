import { platformConfig } from './platform-config';

const DATABASE_URL = 'postgres://postgres@127.0.0.1:5432/gifts';

describe('the configuration of a demo app', () => {
  it('needs only a database', () => {
    expect(platformConfig({ DATABASE_URL })).toEqual({
      databaseUrl: DATABASE_URL,
      transport: { kind: 'postgres' },
      rooms: undefined,
      port: 0,
      roles: ['publish', 'relay', 'handle'],
      migrate: 'never',
      poison: false,
      callback: false,
      resend: undefined,
      faults: { drop: 0, rollBack: 0, seed: 1 },
      backlogLimit: 5_000,
      leaseMs: undefined,
      history: false,
      run: '',
      logLevel: 'log',
      sabotage: undefined,
      killAfter: undefined,
    });
  });

  it('reads what the check sets', () => {
    const config = platformConfig({
      DATABASE_URL,
      TIDINGS_TRANSPORT: 'rabbitmq',
      RABBITMQ_URL: 'amqp://localhost',
      TIDINGS_ROLES: 'publish, relay',
      GIFT_LEASE_MS: '1500',
      DEMO_HISTORY: '1',
      DEMO_SABOTAGE: 'no-order',
      DEMO_KILL_AFTER: '40',
      DEMO_CALLBACK: '1',
      DEMO_DROP: '0.05',
      DEMO_ROLL_BACK: '0.03',
    });
    expect(config).toMatchObject({
      transport: { kind: 'rabbitmq', url: 'amqp://localhost', prefix: 'gifts' },
      roles: ['publish', 'relay'],
      leaseMs: 1_500,
      history: true,
      sabotage: 'no-order',
      killAfter: 40,
      callback: true,
      faults: { drop: 0.05, rollBack: 0.03, seed: 1 },
    });
  });

  it('reads where screens are told', () => {
    const MQTT_URL = 'mqtt://localhost';
    expect(platformConfig({ DATABASE_URL, TIDINGS_ROOMS_TRANSPORT: 'mqtt', MQTT_URL })).toMatchObject({
      transport: { kind: 'postgres' },
      rooms: { kind: 'mqtt', url: MQTT_URL, prefix: 'gifts' },
    });
  });

  it('reads how gift-api is asked by HTTP to send again', () => {
    const url = 'http://127.0.0.1:4711/callback/resend';
    const key = 'k'.repeat(32);
    const config = platformConfig({ DATABASE_URL, GIFT_RESEND_URL: url, GIFT_RESEND_KEY: key });
    expect(config.resend).toEqual({ url, keys: { secrets: { demo: key } } });
  });

  it('takes an empty variable for a missing one', () => {
    expect(platformConfig({ DATABASE_URL, PORT: '', TIDINGS_TRANSPORT: '' })).toMatchObject({ port: 0 });
  });

  it.each([
    [{ DATABASE_URL: '' }, 'environment.DATABASE_URL: is required'],
    [{ DATABASE_URL: 'mysql://localhost' }, 'environment.DATABASE_URL: must be an address as postgres://'],
    [{ DATABASE_URL, TIDINGS_TRANSPORT: 'activemq' }, 'environment.TIDINGS_TRANSPORT: '],
    [
      { DATABASE_URL, TIDINGS_TRANSPORT: 'rabbitmq' },
      'environment.RABBITMQ_URL: is required with TIDINGS_TRANSPORT=rabbitmq',
    ],
    [
      { DATABASE_URL, TIDINGS_ROOMS_TRANSPORT: 'mqtt' },
      'environment.MQTT_URL: is required with TIDINGS_ROOMS_TRANSPORT=mqtt',
    ],
    [{ DATABASE_URL, PORT: 'http' }, 'environment.PORT: '],
    [{ DATABASE_URL, TIDINGS_ROLES: 'publish,read' }, 'environment.TIDINGS_ROLES.1: '],
    [{ DATABASE_URL, GIFT_BACKLOG_LIMIT: '-1' }, 'environment.GIFT_BACKLOG_LIMIT: '],
    [{ DATABASE_URL, DEMO_SABOTAGE: 'fire' }, 'environment.DEMO_SABOTAGE: '],
    [{ DATABASE_URL, DEMO_DROP: '0.7' }, 'environment.DEMO_DROP: '],
    [{ DATABASE_URL, GIFT_RESEND_URL: 'gift-api' }, 'environment.GIFT_RESEND_URL: '],
    [{ DATABASE_URL, GIFT_RESEND_URL: 'http://localhost/' }, 'environment.GIFT_RESEND_KEY: is required with'],
    [{ DATABASE_URL, DEMO_KILL_AFTER: '0' }, 'environment.DEMO_KILL_AFTER: '],
  ])('names the variable that is wrong: %j', (environment, problem) => {
    expect(() => platformConfig(environment)).toThrow(problem);
  });
});
