import { postgres } from '@tidings/postgres';
import { run } from './getting-started.js';

run((store) => postgres({ store })).catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
