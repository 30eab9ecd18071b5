import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';
import { describeOn, recordingReceive, testMessage } from '@tidings/testing';
import type { RabbitMqOptions } from './rabbitmq.options';
import { RabbitMqTransport } from './rabbitmq.transport';
import { SpecBroker } from './spec-broker.fixture';

interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** Signed by itself, so its own authority; made for this run. */
function certificateFor(name: string): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'tidings-tls-'));
  try {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
    const kind = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    execFileSync('openssl', [...kind, '-keyout', key, '-out', cert, ...subject], { stdio: 'ignore' });
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describeOn('rabbitmq', 'RabbitMQ by TLS', (url) => {
  const [server, client] = [certificateFor('broker.test'), certificateFor('client.test')];
  let broker: SpecBroker;
  let listener: Server;
  let transport: RabbitMqTransport | undefined;

  /** What a broker's TLS listener is: it ends TLS, and asks for the client's certificate where that is wished. */
  const listen = async (askClient: boolean): Promise<string> => {
    const asking = askClient ? { requestCert: true, rejectUnauthorized: true, ca: client.cert } : {};
    const target = new URL(url);
    listener = createServer({ ...server, ...asking }, (socket) => {
      const upstream = connect(Number(target.port || 5672), target.hostname);
      for (const [from, to] of [[socket, upstream], [upstream, socket]] as const) // prettier-ignore
        from.on('error', () => undefined).on('close', () => to.destroy()).pipe(to); // prettier-ignore
    });
    listener.on('tlsClientError', () => undefined);
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    return `amqps://${target.username}:${target.password}@127.0.0.1:${(listener.address() as AddressInfo).port}`;
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
