import { writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { firstAnswer } from './first-answer';
import { freePort } from './free-port';
import { madeAndStarted } from './made-and-started';
import { privateFolder, removeFolder } from './private-folder';
import type { PrivateServer } from './private-server';
import { ProcessGroup } from './process-group';

const START_WITHIN_MS = 30_000;
/** CONNECT of MQTT 3.1.1 with a clean session and the client id `probe`; a broker answers with CONNACK. */
const CONNECT = Buffer.from([0x10, 17, 0, 4, ...Buffer.from('MQTT'), 4, 2, 0, 5, 0, 5, ...Buffer.from('probe')]);
const CONNACK = 0x20;

/** A Mosquitto that writes its sessions when it stops in order, and takes any number of messages for one that is away. */
export class PrivateMosquitto implements PrivateServer {
  #group: ProcessGroup | undefined;
  readonly #folder = privateFolder('mqtt');

  private constructor(
    private readonly program: string,
    private readonly port: number,
  ) {}

  static async of(programs: { readonly mosquitto: string }): Promise<PrivateMosquitto> {
    const server = new PrivateMosquitto(programs.mosquitto, await freePort());
    return madeAndStarted(server, () => server.#make());
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    this.#group = new ProcessGroup({
      program: this.program,
      args: ['-c', join(this.#folder, 'mosquitto.conf')],
      logFile: join(this.#folder, 'log'),
    });
    const answers = async (): Promise<boolean> => (await firstAnswer(this.port, CONNECT))?.[0] === CONNACK;
    await this.#group.until('a private Mosquitto', answers, START_WITHIN_MS);
  }

  async stop(): Promise<void> {
    await this.#group?.end('SIGTERM');
  }

  async crash(): Promise<void> {
    await this.#group?.end('SIGKILL');
  }

  async remove(): Promise<void> {
    await this.crash();
    removeFolder(this.#folder);
  }

  #make(): void {
    const settings = [
      `listener ${this.port} 127.0.0.1`,
      'allow_anonymous true',
      'persistence true',
      `persistence_location ${this.#folder}/`,
      'max_queued_messages 0',
      `user ${userInfo().username}`, // else it becomes another one, who may not write here
    ];
    writeFileSync(join(this.#folder, 'mosquitto.conf'), `${settings.join('\n')}\n`);
  }
}
