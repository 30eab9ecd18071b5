import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { describeOn, TcpProxy, transportConformance } from '@tidings/testing';
import { NATS_CAPABILITIES, natsJetStream } from './nats-jetstream.transport';

describeOn('nats', "somebody's own transport: NATS JetStream", (url) => {
  const stream = `spec-${randomBytes(4).toString('hex')}`;
  const options = { stream, ackWaitMs: 3_000 };
  let wire: TcpProxy;
  transportConformance({
    kind: 'nats',
    capabilities: NATS_CAPABILITIES,
    open: async () => {
      wire = await TcpProxy.to(url);
    },
    create: () => natsJetStream({ ...options, servers: wire.url }),
    cut: () => Promise.resolve(wire.cut()),
    cutRedelivers: false,
    process: {
      module: join(__dirname, 'nats-jetstream.transport.ts'),
      factory: 'natsJetStream',
      options: { ...options, servers: url },
    },
    close: async () => {
      await wire.close();
      const connection = await connect({ servers: url });
      await (await jetstreamManager(connection)).streams.delete(stream);
      await connection.close();
    },
  });
});
