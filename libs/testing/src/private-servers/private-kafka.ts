import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { firstAnswer } from './first-answer';
import { freePort } from './free-port';
import { kafkaJars } from './kafka-jars';
import { madeAndStarted } from './made-and-started';
import { privateFolder, removeFolder } from './private-folder';
import type { PrivateServer } from './private-server';
import { ProcessGroup } from './process-group';
import { runToEnd } from './run-to-end';

const START_WITHIN_MS = 120_000;
/** Any 16 bytes, base64url. */
const CLUSTER = 'dGlkaW5ncy1wcml2YXRlMQ';

/** ApiVersions in version 0, from nobody in particular: the first request of every client, answered before any authentication. */
const API_VERSIONS = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 0xff, 0xff]);

interface Ports {
  readonly plain: number;
  readonly sasl: number;
  readonly controller: number;
}

/** One node that is its own controller. `url` asks for nothing; `saslUrl` for `user`, by PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512. */
export class PrivateKafka implements PrivateServer {
  readonly user = { username: 'tidings', password: 'a private secret' } as const;
  #group: ProcessGroup | undefined;
  readonly #folder = privateFolder('kafka');

  private constructor(
    private readonly java: string,
    private readonly ports: Ports,
  ) {}

  /** Made and started: about ten seconds. */
  static async of(programs: { readonly java: string }): Promise<PrivateKafka> {
    const ports = { plain: await freePort(), sasl: await freePort(), controller: await freePort() };
    const server = new PrivateKafka(programs.java, ports);
    return madeAndStarted(server, () => server.#make());
  }

  get url(): string {
    return `kafka://127.0.0.1:${this.ports.plain}`;
  }

  get saslUrl(): string {
    return `kafka://127.0.0.1:${this.ports.sasl}`;
  }

  async start(): Promise<void> {
    this.#group = new ProcessGroup({
      program: this.java,
      args: [...this.#java, '-Xms128m', '-Xmx384m', 'kafka.Kafka', this.#conf],
      logFile: join(this.#folder, 'log'),
    });
    const answers = async (): Promise<boolean> => (await firstAnswer(this.ports.plain, API_VERSIONS))?.[7] === 7;
    await this.#group.until('a private Kafka', answers, START_WITHIN_MS);
  }

  async stop(): Promise<void> {
    await this.#group?.end('SIGTERM');
  }

  /** The system's cache outlives it: what the broker had written to its files is there again. */
  async crash(): Promise<void> {
    await this.#group?.end('SIGKILL');
  }

  async remove(): Promise<void> {
    await this.crash();
    removeFolder(this.#folder);
  }

  get #conf(): string {
    return join(this.#folder, 'server.properties');
  }

  get #java(): string[] {
    const logging = `-Dlog4j2.configurationFile=${join(this.#folder, 'log4j2.properties')}`;
    return ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', logging, '-cp', join(kafkaJars() ?? '', '*')];
  }

  async #make(): Promise<void> {
    const { username, password } = this.user;
    writeFileSync(this.#conf, this.#settings());
    writeFileSync(join(this.#folder, 'log4j2.properties'), LOGGING);
    const scram = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => ['--add-scram', `${mechanism}=[name=${username},password=${password}]`]); // prettier-ignore
    const format = ['kafka.tools.StorageTool', 'format', '--standalone', '-t', CLUSTER, '-c', this.#conf, ...scram];
    await runToEnd({ program: this.java, args: [...this.#java, '-Xmx128m', ...format], cwd: this.#folder });
  }

  #settings(): string {
    const { plain, sasl, controller } = this.ports;
    const { username, password } = this.user;
    const [open, closed, own] = [`PLAINTEXT://127.0.0.1:${plain}`, `SASL://127.0.0.1:${sasl}`, `CONTROLLER://127.0.0.1:${controller}`]; // prettier-ignore
    const login = (kind: string): string => `org.apache.kafka.common.security.${kind} required`;
    return `
process.roles=broker,controller
node.id=1
listeners=${open},${closed},${own}
advertised.listeners=${open},${closed},${own}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers=127.0.0.1:${controller}
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.sasl.plain.sasl.jaas.config=${login('plain.PlainLoginModule')} user_${username}="${password}";
listener.name.sasl.scram-sha-256.sasl.jaas.config=${login('scram.ScramLoginModule')};
listener.name.sasl.scram-sha-512.sasl.jaas.config=${login('scram.ScramLoginModule')};
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
log.cleaner.dedupe.buffer.size=16777216
log.dirs=${join(this.#folder, 'data')}
`;
  }
}

const LOGGING = `
status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{HH:mm:ss.SSS} %-5p %c{1}: %m%n
rootLogger.level = WARN
rootLogger.appenderRef.out.ref = out
`;
