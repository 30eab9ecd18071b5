import 'reflect-metadata';
import { Injectable } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  defineMessage,
  fixed,
  type MessageContext,
  quoted,
  silentLogger,
  type Statement,
  type Store,
} from '@tidings/core';
import { clientOf, pg } from '@tidings/database';
import { rabbitmq } from '@tidings/rabbitmq';
import { Pool } from 'pg';
import { z } from 'zod';
import { OnMessage } from '../decorators/on-message.decorator';
import { MessagingModule } from '../messaging.module';

const step = z.object({ room: z.string(), n: z.number(), fails: z.number() });
type Step = z.infer<typeof step>;

/** The `n`th message of a room fails so many times before it succeeds. */
export const Steps = defineMessage('step.taken', {
  schema: step,
  key: ({ room }) => room,
});

export interface WalkOrders {
  readonly url: string;
  readonly rabbit: string;
  /** Has the tables `run` and `effect`. */
  readonly schema: string;
}

/** The process ends itself, as SIGKILL does it, at its next statement with this text: before the server gets it, or when it has run. */
export interface Doom {
  readonly text: string;
  readonly when: 'unsent' | 'unheard';
}

let doom: Doom | undefined;

export const die = (): Promise<never> => {
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => undefined);
};

/** How the process is doomed at this statement, or deed. */
export const doomedBy = (text: string): Doom['when'] | undefined =>
  doom && text.includes(doom.text) ? doom.when : undefined;

/** What the spec says, to all processes. */
export const doomOf = (next: { doom?: Doom }): void => {
  doom = next.doom;
};

/** The store of a process that may be doomed. */
export const mortal = (store: Store): Store =>
  new Proxy(store, {
    get: (target, property) => {
      const found: unknown = Reflect.get(target, property);
      if (property !== 'query') return typeof found === 'function' ? (found.bind(target) as unknown) : found;
      return async (statement: Statement) => {
        const end = doomedBy(statement.text);
        if (end === 'unsent') return die();
        const result = await target.query(statement);
        return end === 'unheard' ? die() : result;
      };
    },
  });

async function run({ url, rabbit, schema }: WalkOrders): Promise<void> {
  const pool = new Pool({ connectionString: url, max: 6 });
  const records = new Pool({ connectionString: url, max: 2 });

  @Injectable()
  class Walk {
    @OnMessage(Steps, { group: 'walkers', ordered: true, concurrency: 4, retry: fixed({ attempts: 20, immediate: 0, delayMs: 30 }) }) // prettier-ignore
    async step({ room, n, fails }: Step, context: MessageContext): Promise<void> {
      await clientOf(context).query(`insert into ${quoted(schema)}.effect (room, n) values ($1, $2)`, [room, n]);
      const { rows } = await records.query<{ runs: number }>(
        `insert into ${quoted(schema)}.run values ($1, $2, 1)
           on conflict (room, n) do update set runs = run.runs + 1 returning runs`,
        [room, n],
      );
      if (rows[0]!.runs <= fails) throw new Error('as asked');
    }
  }
  const options = {
    source: 'walker',
    stores: { default: mortal(pg(pool, { schema, connections: 4 })) },
    transports: { main: rabbitmq({ urls: rabbit, prefix: schema, orderedQueues: 4 }) },
    roles: ['handle' as const],
    parking: { leaseMs: 1_000 },
    logger: silentLogger,
  };
  const module = { module: class WalkerModule {}, imports: [MessagingModule.forRoot(options)], providers: [Walk] };
  await NestFactory.createApplicationContext(module, { logger: false });
  process.on('message', doomOf);
  process.send!('ready');
}

if (process.send && require.main === module) {
  process.once('message', (orders: WalkOrders) => void run(orders));
  process.once('disconnect', () => process.exit(0)); // the spec died: leave no orphan
}
