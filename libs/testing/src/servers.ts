import { TidingsError } from '@tidings/core';

/** By name, the variable of its address. */
const VARIABLES = {
  postgres: 'TIDINGS_TEST_POSTGRES_URL',
  rabbitmq: 'TIDINGS_TEST_RABBITMQ_URL',
  redis: 'TIDINGS_TEST_REDIS_URL',
  kafka: 'TIDINGS_TEST_KAFKA_URL',
  rocketmq: 'TIDINGS_TEST_ROCKETMQ_URL',
  mqtt: 'TIDINGS_TEST_MQTT_URL',
  nats: 'TIDINGS_TEST_NATS_URL',
} as const;

export type ServerName = keyof typeof VARIABLES;

/** The address of a real server for tests, as `scripts/test.mjs` found it; undefined when there is none. */
export const server = (name: ServerName): string | undefined => process.env[VARIABLES[name]] || undefined;

/** A `describe` that needs a server: skipped by name without it, failed when TIDINGS_REQUIRE=all. */
export function describeOn(name: ServerName, title: string, body: (url: string) => void): void {
  const url = server(name);
  if (url) return describe(`${title} [${name}]`, () => body(url));
  if (process.env['TIDINGS_REQUIRE'] === 'all') {
    return describe(`${title} [${name}]`, () => {
      it(`needs ${name}`, () => {
        throw new TidingsError(
          'TIDINGS_TEST_SERVER',
          `TIDINGS_REQUIRE=all, but ${VARIABLES[name]} names no ${name} server; start it, or unset TIDINGS_REQUIRE`,
        );
      });
    });
  }
  describe.skip(`${title} [needs ${name}]`, () => body(''));
}
