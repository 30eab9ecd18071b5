import { certificateFor, describeOn, recordingReceive, testMessage, TlsListener } from '@tidings/testing';
import type { RabbitMqOptions } from './rabbitmq.options';
import { RabbitMqTransport } from './rabbitmq.transport';
import { SpecBroker } from './spec-broker.fixture';

describeOn('rabbitmq', 'RabbitMQ by TLS', (url) => {
  const [server, client] = [certificateFor('broker.test'), certificateFor('client.test')];
  let broker: SpecBroker;
  let listener: TlsListener;
  let transport: RabbitMqTransport | undefined;

  const listen = async (askClient: boolean): Promise<string> => {
    const target = new URL(url);
    const place = { host: target.hostname, port: Number(target.port || 5672) };
    listener = await TlsListener.to(place, server, askClient ? client.cert : undefined);
    return `amqps://${target.username}:${target.password}@127.0.0.1:${listener.port}`;
  };
  const over = (urls: string, tls?: RabbitMqOptions['tls']): RabbitMqTransport =>
    (transport = new RabbitMqTransport({ urls, prefix: broker.prefix, ...(tls && { tls }) }));

  beforeAll(async () => (broker = await SpecBroker.at(url)));
  afterEach(async () => {
    await transport?.close();
    listener.close();
  });
  afterAll(() => broker.close());

  it('publishes and receives with the authority and the name that the certificate has', async () => {
    const transport = over(await listen(false), { ca: server.cert, servername: 'broker.test' });
    await transport.connect();
    const recording = recordingReceive();
    const subscription = { topic: 'tls', group: 'g', ordered: false, broadcast: false, concurrency: 1, from: 'now' } as const; // prettier-ignore
    await transport.subscribe(subscription, recording.receive);
    const large = testMessage({ topic: 'tls', payload: Buffer.alloc(300_000, 7) });
    expect(await transport.publish([{ message: large }])).toEqual([{ outcome: 'confirmed' }]);
    await recording.received(1);
    expect(recording.ids).toEqual([large.id]);
  });

  it('refuses a certificate that nobody vouches for, unless told not to look', async () => {
    const urls = await listen(false);
    await expect(over(urls).connect()).rejects.toThrow(/self.signed certificate/i);
    await over(urls, { rejectUnauthorized: false }).connect();
  });

  it('refuses a certificate for another name', async () => {
    const urls = await listen(false);
    const other = over(urls, { ca: server.cert, servername: 'other.test' });
    await expect(other.connect()).rejects.toThrow(/other\.test.*altnames/i);
  });

  it('shows its own certificate to a listener that asks', async () => {
    const urls = await listen(true);
    const [ca, servername] = [server.cert, 'broker.test'];
    await expect(over(urls, { ca, servername }).connect()).rejects.toThrow(/RABBITMQ|rabbitmq: expected an answer/);
    await over(urls, { ca, servername, ...client }).connect();
    expect(transport?.health().up).toBe(true);
  });
});
