import { readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** A distribution's own, or what the service of the tests has fetched once. */
function folders(): string[] {
  const { KAFKA_HOME, MESSAGING_KAFKA_DIR, XDG_CACHE_HOME } = process.env;
  const cache = MESSAGING_KAFKA_DIR || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'messaging-services', 'kafka');
  return [...(KAFKA_HOME ? [join(KAFKA_HOME, 'libs')] : []), join(cache, 'lib')];
}

const hasBroker = (folder: string): boolean => {
  try {
    const jars = readdirSync(folder);
    return ['kafka_', 'kafka-server-', 'kafka-clients-'].every((name) => jars.some((jar) => jar.startsWith(name)));
  } catch {
    return false; // there is no such folder
  }
};

/** The folder with a Kafka broker's jars on this machine; undefined when there is none. */
export const kafkaJars = (): string | undefined => folders().find(hasBroker);
