import type { TlsOptions } from '@tidings/core';
import {
  certificateFor,
  describeOn,
  describePrivate,
  recordingReceive,
  testMessage,
  TlsListener,
} from '@tidings/testing';
import type { KafkaOptions } from './kafka.options';
import { KafkaTransport } from './kafka.transport';
import { SpecBroker } from './spec-broker.fixture';

const subscription = { topic: 'gift.secret', group: 'g', ordered: false, broadcast: false, concurrency: 1, from: 'now' } as const; // prettier-ignore
const LONG_MS = 60_000;

async function worksBothWays(transport: KafkaTransport): Promise<void> {
  await transport.connect();
  const recording = recordingReceive();
  await transport.subscribe(subscription, recording.receive);
  const large = testMessage({ topic: subscription.topic, payload: Buffer.alloc(300_000, 7) });
  expect(await transport.publish([{ message: large }])).toEqual([{ outcome: 'confirmed' }]);
  await recording.receivedAll([large.id]);
}

describeOn('kafka', 'Kafka by TLS', (url) => {
  const [server, client] = [certificateFor('broker.test'), certificateFor('client.test')];
  let broker: SpecBroker;
  let listener: TlsListener;
  beforeAll(async () => {
    broker = await SpecBroker.at(url);
  });
  afterEach(async () => {
    await broker.closeTransports();
    listener.close();
  }, 30_000);
  afterAll(() => broker.close(), 30_000);

  const over = async (tls: true | TlsOptions, askClient = false): Promise<KafkaTransport> => {
    const { hostname: host, port } = new URL(url);
    listener = await TlsListener.to({ host, port: Number(port) }, server, askClient ? client.cert : undefined);
    const addresses = () => ({ host: '127.0.0.1', port: listener.port });
    return broker.transport({ tls, addresses, connectTimeoutMs: 2_000 });
  };
  const [ca, servername] = [server.cert, 'broker.test'];

  it('publishes and receives with the authority and the name that the certificate has', async () => worksBothWays(await over({ ca, servername })), LONG_MS); // prettier-ignore

  it(
    'refuses a certificate that nobody vouches for, unless told not to look',
    async () => {
      await expect((await over(true)).connect()).rejects.toThrow(/self.signed certificate/i);
      listener.close();
      await (await over({ rejectUnauthorized: false })).connect();
    },
    LONG_MS,
  );

  it('refuses a certificate for another name', async () => {
    await expect((await over({ ca, servername: 'other.test' })).connect()).rejects.toThrow(/other\.test.*altnames/i);
  }, LONG_MS); // prettier-ignore

  it(
    'shows its own certificate to a listener that asks',
    async () => {
      await expect((await over({ ca, servername }, true)).connect()).rejects.toThrow(/kafka: expected/);
      listener.close();
      await (await over({ ca, servername, ...client }, true)).connect();
    },
    LONG_MS,
  );
});

describePrivate('kafka', 'Kafka by SASL', (node) => {
  const transports: KafkaTransport[] = [];
  afterEach(async () => {
    await Promise.all(transports.splice(0).map((transport) => transport.close()));
  }, 30_000);
  const over = (sasl?: KafkaOptions['sasl']): KafkaTransport => {
    const transport = new KafkaTransport({ urls: node().saslUrl, prefix: 'spec', connectTimeoutMs: 3_000, ...(sasl && { sasl }) });
    transports.push(transport);
    return transport;
  }; // prettier-ignore

  it.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)('publishes and receives by %s', async (mechanism) => {
    await worksBothWays(over({ mechanism, ...node().user }));
  }, LONG_MS); // prettier-ignore

  it.each(['plain', 'scram-sha-256'] as const)('a wrong password is told, by %s, and not shown', async (mechanism) => {
    const transport = over({ mechanism, username: node().user.username, password: 'guessed-in-vain' });
    const refused = await transport.connect().catch((error: unknown) => error as Error);
    expect(String(refused)).toMatch(/authentication/i);
    expect(String(refused)).not.toContain('guessed-in-vain');
  }, LONG_MS); // prettier-ignore

  it('nobody comes in without a name', async () => {
    await expect(over().connect()).rejects.toThrow(/kafka: expected/);
  }, LONG_MS); // prettier-ignore
});
