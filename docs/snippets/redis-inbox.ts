import { typeorm } from '@tidings/database';
import { MessagingModule } from '@tidings/messaging';
import { rabbitmq } from '@tidings/rabbitmq';
import { redisInbox, redisInboxFilter } from '@tidings/redis-inbox';
import { Redis } from 'ioredis';
import type { DataSource } from 'typeorm';

declare const dataSource: DataSource;
declare const redisUrl: string;
const transports = { main: rabbitmq({ urls: 'amqp://127.0.0.1' }) };

// #region filter
export const withFilter = MessagingModule.forRoot({
  source: 'ranking',
  transports,
  stores: { default: typeorm(dataSource) },
  inboxFilter: redisInboxFilter({ client: new Redis(redisUrl, { maxRetriesPerRequest: 1 }) }),
});
// #endregion

// #region storeless
export const withoutStores = MessagingModule.forRoot({
  source: 'ranking',
  transports,
  storelessInbox: redisInbox({ client: new Redis(redisUrl, { maxRetriesPerRequest: 1 }) }),
});
// #endregion
