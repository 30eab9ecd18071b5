import { rabbitmq } from '@tidings/rabbitmq';
import { run } from './getting-started.js';

run(() => rabbitmq({ urls: process.env['RABBITMQ_URL']!, prefix: process.env['PREFIX']! })).catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
