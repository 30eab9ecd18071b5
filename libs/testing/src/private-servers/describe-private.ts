import { TidingsError } from '@tidings/core';
import { missingPrograms, type PrivateServers, startPrivate } from './start-private';

const START_WITHIN_MS = 120_000;

/**
 * A `describe` with a server of its own, started before and removed after it: skipped by name where the server's programs are not installed, failed
 * when TIDINGS_REQUIRE=all. The body gets a function, for the server is there inside of tests and hooks only.
 */
export function describePrivate<Name extends keyof PrivateServers>(
  name: Name,
  title: string,
  body: (server: () => PrivateServers[Name]) => void,
): void {
  let server: PrivateServers[Name] | undefined;
  const running = (): PrivateServers[Name] => {
    if (server) return server;
    throw new TidingsError('TIDINGS_TEST_SERVER', `the private ${name} is there inside of tests and hooks only`);
  };
  const missing = missingPrograms(name);
  if (missing.length > 0 && process.env['TIDINGS_REQUIRE'] !== 'all') {
    return describe.skip(`${title} [needs ${missing.join(', ')}]`, () => body(running));
  }
  describe(`${title} [private ${name}]`, () => {
    beforeAll(async () => (server = await startPrivate(name)), START_WITHIN_MS);
    afterAll(() => server?.remove(), START_WITHIN_MS);
    body(running);
  });
}
