import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { pg } from '@tidings/database';
import { type ApplicationDeadLetters, getDeadLettersToken, MessagingModule, route } from '@tidings/messaging';
import { giftTransport } from '@tidings/gift-platform';
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
  { transport: kind, brokerUrl: url }: Pick<DemoOptions, 'transport' | 'brokerUrl'>,
  prefix: string,
): Promise<LetterDesk> {
  const store = pg(pool, { connections: 1 });
  const place = kind === 'postgres' ? { kind } : { kind, url, prefix };
  const main = await giftTransport(place, store, {});
  const app = await NestFactory.createApplicationContext(
    MessagingModule.forRoot({
      source: 'demo',
      stores: { default: store },
      transports: { main },
      routes: [route('*').to('main')],
      roles: ['publish'],
    }),
    { logger: ['error', 'warn'] },
  );
  return { letters: app.get<ApplicationDeadLetters>(getDeadLettersToken()), close: () => app.close() };
}
