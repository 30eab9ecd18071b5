import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { RecheckingPublisher } from '@tidings/callback';
import { silentLogger, type Transport } from '@tidings/core';
import { pg } from '@tidings/database';
import { postgres } from '@tidings/postgres';
import { rabbitmq } from '@tidings/rabbitmq';
import { Pool } from 'pg';
import { MessagingModule } from '../messaging.module';
import { GiftSent } from '../test-application.fixture';

/** Publish one gift, and die. */
export interface SenderOrders {
  readonly url: string;
  readonly schema: string;
  readonly namespace: string;
  /** Undefined: the PostgreSQL transport. */
  readonly rabbit?: string;
  readonly id: string;
  /** `committed`: the message is on its way out. `open`: the recheck is out, the commit has not been asked for. */
  readonly dies: 'committed' | 'open';
}

const die = (): Promise<never> => {
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => undefined); // the signal takes a moment: nothing may go on in it
};

/** Sends rechecks, and dies of the first gift. */
const deadly = (transport: Transport): Transport =>
  new Proxy(transport, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (property !== 'publish') return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      const publish: Transport['publish'] = (messages) =>
        messages.some(({ message }) => message.type === GiftSent.type) ? die() : target.publish(messages);
      return publish;
    },
  });

async function run({ url, schema, namespace, rabbit, id, dies }: SenderOrders): Promise<void> {
  const pool = new Pool({ connectionString: url, max: 2, options: `-c search_path=${schema}` });
  const store = pg(pool, { schema, connections: 2 });
  const transport = rabbit === undefined ? postgres({ store, namespace }) : rabbitmq({ urls: rabbit, prefix: namespace, orderedQueues: 2 }); // prettier-ignore
  const options = {
    source: 'spec',
    stores: { default: store },
    transports: { main: deadly(transport) },
    roles: ['publish' as const],
    callback: { recheckAfterMs: 400 },
    logger: silentLogger,
  };
  const module = { module: class SenderModule {}, imports: [MessagingModule.forRoot(options)] };
  const app = await NestFactory.createApplicationContext(module, { logger: false });
  await store.run(async (transaction) => {
    await transaction.query({ text: 'insert into closing values ($1)', values: [id] });
    await app.get(RecheckingPublisher).within(transaction).publish(GiftSent, { room: id, coins: 1 }, { id });
    if (dies === 'open') await die();
  });
}

if (process.send && require.main === module) {
  process.once('message', (orders: SenderOrders) => {
    run(orders).catch((error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    });
  });
  process.once('disconnect', () => process.exit(0)); // the spec died: leave no orphan
}
