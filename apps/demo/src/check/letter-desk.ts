import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { pg } from '@tidings/database';
import { type ApplicationDeadLetters, getDeadLettersToken, MessagingModule, route } from '@tidings/messaging';
import { postgres } from '@tidings/postgres';
import { rabbitmq } from '@tidings/rabbitmq';
import type { Pool } from 'pg';
import type { DemoOptions } from '../demo.options';

/** Who opened the dead letters of all apps, for they share a database; ended by `close`. */
export interface LetterDesk {
  readonly letters: ApplicationDeadLetters;
  close(): Promise<void>;
}

/** An application without a page or a handler: what a person's tool for dead letters would be. */
export async function openLetterDesk(
  pool: Pool,
  { transport, rabbitmqUrl }: Pick<DemoOptions, 'transport' | 'rabbitmqUrl'>,
  prefix: string,
): Promise<LetterDesk> {
  const store = pg(pool, { connections: 1 });
  const app = await NestFactory.createApplicationContext(
    MessagingModule.forRoot({
      source: 'demo',
      stores: { default: store },
      transports: { main: transport === 'rabbitmq' ? rabbitmq({ urls: [rabbitmqUrl], prefix }) : postgres({ store }) },
      routes: [route('*').to('main')],
      roles: ['publish'],
    }),
    { logger: ['error', 'warn'] },
  );
  return { letters: app.get<ApplicationDeadLetters>(getDeadLettersToken()), close: () => app.close() };
}
