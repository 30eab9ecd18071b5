import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { firstAnswer } from './first-answer';
import { freePort } from './free-port';
import { madeAndStarted } from './made-and-started';
import { privateFolder, removeFolder } from './private-folder';
import type { PrivateServer } from './private-server';
import { ProcessGroup } from './process-group';
import { runToEnd } from './run-to-end';

const START_WITHIN_MS = 90_000;
const PROTOCOL_HEADER = Buffer.from([0x41, 0x4d, 0x51, 0x50, 0, 0, 9, 1]);
/** The first byte of a method frame: the broker answers with Connection.Start. An older protocol would be answered with a header. */
const METHOD_FRAME = 1;

export interface RabbitMqPrograms {
  readonly 'rabbitmq-server': string;
  readonly rabbitmqctl: string;
  readonly epmd: string;
}

interface Ports {
  readonly amqp: number;
  readonly distribution: number;
  readonly epmd: number;
  readonly mqtt: number;
}

/**
 * A node with its own ports, folder, cookie and port mapper. Its own epmd, because one that the node started for itself would stay behind, and the
 * machine's is none of ours.
 */
export class PrivateRabbitMq implements PrivateServer {
  #epmd: ProcessGroup | undefined;
  #group: ProcessGroup | undefined;
  readonly #folder = privateFolder('rabbitmq');

  private constructor(
    private readonly programs: RabbitMqPrograms,
    private readonly ports: Ports,
  ) {}

  /** Made and started: some seconds. */
  static async of(programs: RabbitMqPrograms): Promise<PrivateRabbitMq> {
    const ports = {
      amqp: await freePort(),
      distribution: await freePort(),
      epmd: await freePort(),
      mqtt: await freePort(),
    };
    const node = new PrivateRabbitMq(programs, ports);
    return madeAndStarted(node, () => node.#make());
  }

  get url(): string {
    return `amqp://guest:guest@127.0.0.1:${this.ports.amqp}`;
  }

  async start(): Promise<void> {
    this.#epmd ??= new ProcessGroup({
      program: this.programs.epmd,
      args: ['-port', String(this.ports.epmd), '-address', '127.0.0.1'],
      logFile: join(this.#folder, 'epmd.log'),
    });
    this.#group = new ProcessGroup({
      program: this.programs['rabbitmq-server'],
      args: [],
      env: this.#env,
      logFile: join(this.#folder, 'console.log'),
    });
    const answers = async (): Promise<boolean> =>
      (await firstAnswer(this.ports.amqp, PROTOCOL_HEADER))?.[0] === METHOD_FRAME;
    await this.#group.until('a private RabbitMQ', answers, START_WITHIN_MS);
  }

  /** Starts the node again with its MQTT plugin. Resolves with the address of that listener. */
  async withMqtt(): Promise<string> {
    await this.stop();
    writeFileSync(join(this.#folder, 'enabled_plugins'), '[rabbitmq_mqtt].\n');
    appendFileSync(join(this.#folder, 'rabbitmq.conf'), `mqtt.listeners.tcp.1 = 127.0.0.1:${this.ports.mqtt}\n`);
    await this.start();
    return `mqtt://guest:guest@127.0.0.1:${this.ports.mqtt}`;
  }

  async stop(): Promise<void> {
    await this.#group?.end('SIGTERM');
  }

  async crash(): Promise<void> {
    await this.#group?.end('SIGKILL');
  }

  async remove(): Promise<void> {
    await this.crash();
    await this.#epmd?.end('SIGKILL');
    removeFolder(this.#folder);
  }

  /** rabbitmqctl on this node, and on no other. */
  ctl(...args: string[]): Promise<string> {
    return runToEnd({ program: this.programs.rabbitmqctl, args, env: this.#env, cwd: this.#folder });
  }

  #make(): void {
    for (const name of ['data', 'log']) mkdirSync(join(this.#folder, name));
    writeFileSync(join(this.#folder, '.erlang.cookie'), randomBytes(16).toString('hex'), { mode: 0o400 });
    writeFileSync(join(this.#folder, 'enabled_plugins'), '[].\n');
    writeFileSync(join(this.#folder, 'rabbitmq.conf'), `listeners.tcp.1 = 127.0.0.1:${this.ports.amqp}\n`);
  }

  get #env(): Record<string, string> {
    const local = '-kernel inet_dist_use_interface {127,0,0,1}';
    return {
      HOME: this.#folder, // the cookie is there
      ERL_EPMD_PORT: String(this.ports.epmd),
      ERL_EPMD_ADDRESS: '127.0.0.1',
      RABBITMQ_NODENAME: `private-${this.ports.amqp}@localhost`,
      RABBITMQ_DIST_PORT: String(this.ports.distribution),
      RABBITMQ_MNESIA_BASE: join(this.#folder, 'data'),
      RABBITMQ_LOG_BASE: join(this.#folder, 'log'),
      RABBITMQ_CONFIG_FILE: join(this.#folder, 'rabbitmq.conf'),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(this.#folder, 'enabled_plugins'),
      RABBITMQ_CONF_ENV_FILE: join(this.#folder, 'no-environment'), // the machine's own names its own node
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: local,
      RABBITMQ_CTL_ERL_ARGS: local,
    };
  }
}
