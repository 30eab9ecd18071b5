import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

export interface RocketMqJars {
  readonly folder: string;
  /** Preloaded into the servers it keeps them on 127.0.0.1, for which the proxy has no setting. A distribution has none. */
  readonly loopback: string | undefined;
}

/** A distribution's own, or what the service of the tests has fetched once. */
function folders(): string[] {
  const { ROCKETMQ_HOME, ROCKETMQ_CACHE, XDG_CACHE_HOME } = process.env;
  const cache = ROCKETMQ_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'messaging-services', 'rocketmq');
  const fetched = existsSync(cache) ? readdirSync(cache).filter((name) => /^dist-\d+$/.test(name)) : [];
  return [...(ROCKETMQ_HOME ? [ROCKETMQ_HOME] : []), ...fetched.map((name) => join(cache, name))];
}

const isComplete = (folder: string): boolean => {
  const lib = join(folder, 'lib');
  const jars = existsSync(lib) ? readdirSync(lib) : [];
  return ['namesrv', 'broker', 'proxy'].every((part) => jars.some((jar) => jar.startsWith(`rocketmq-${part}-`)));
};

/** A RocketMQ's jars on this machine; undefined when there are none. */
export function rocketMqJars(): RocketMqJars | undefined {
  const found = folders().find(isComplete);
  if (found === undefined) return undefined;
  const loopback = join(found, 'loopback.so');
  return { folder: join(found, 'lib'), loopback: existsSync(loopback) ? loopback : undefined };
}
