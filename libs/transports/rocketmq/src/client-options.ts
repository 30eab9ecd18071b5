import { endedWithin } from '@tidings/core';
import { format } from 'node:util';
import type { ProducerOptions } from 'rocketmq-client-nodejs';
import { RocketMqStartError } from './rocketmq.errors';
import type { RocketMqSettings } from './rocketmq.options';

type ClientOptions = Pick<
  ProducerOptions,
  'endpoints' | 'sslEnabled' | 'namespace' | 'sessionCredentials' | 'logger' | 'requestTimeout'
>;

/** What all clients of a transport share. Theirs is the loudness of a debugger: whatever fails is told to its caller as well. */
export function clientOptions(settings: RocketMqSettings, requestTimeout: number): ClientOptions {
  const { urls, credentials, logger } = settings;
  const debug = (...args: unknown[]): void => logger.debug({ client: 'rocketmq' }, format(...args));
  return {
    endpoints: urls
      .map((url) => new URL(url))
      .map(({ hostname, port }) => `${hostname}:${port || 8081}`)
      .join(';'),
    sslEnabled: urls[0]!.startsWith('rocketmqs:'),
    namespace: '',
    requestTimeout,
    logger: { debug, info: debug, warn: debug, error: debug },
    ...(credentials && {
      sessionCredentials: {
        accessKey: credentials.accessKey,
        accessSecret: credentials.accessSecret,
        ...(credentials.securityToken !== undefined && { securityToken: credentials.securityToken }),
      },
    }),
  };
}

/** @throws RocketMqStartError when the client hangs, whatever it throws otherwise; it is shut down then. */
export async function started<Client extends { startup(): Promise<void>; end(): Promise<void> }>(
  client: Client,
  what: string,
  { clock, connectTimeoutMs }: RocketMqSettings,
): Promise<Client> {
  const starting = client.startup();
  try {
    if (!(await endedWithin(clock, connectTimeoutMs, starting))) throw new RocketMqStartError(what, connectTimeoutMs);
    await starting;
    return client;
  } catch (thrown) {
    starting.catch(() => undefined);
    await client.end();
    throw thrown;
  }
}
