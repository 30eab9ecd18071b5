import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../until';
import { freePort } from './free-port';
import { firstAnswer } from './first-answer';
import { privateFolder, removeFolder } from './private-folder';
import { PrivateRedis, type RedisPrograms } from './private-redis';
import { ProcessGroup } from './process-group';

const REPLICAS = 2;
const READY_WITHIN_MS = 30_000;

/** A primary, two replicas, and a sentinel that promotes one of them half a second after the primary went silent. */
export class PrivateRedisSentinel {
  /** What the sentinel calls the primary. */
  readonly name = 'primary';
  readonly #servers: PrivateRedis[] = [];
  readonly #folder = privateFolder('sentinel');
  #sentinel: ProcessGroup | undefined;

  private constructor(private readonly port: number) {}

  static async of(programs: RedisPrograms): Promise<PrivateRedisSentinel> {
    const watched = new PrivateRedisSentinel(await freePort());
    try {
      await watched.#start(programs);
    } catch (thrown) {
      await watched.remove();
      throw thrown;
    }
    return watched;
  }

  /** The sentinel's. */
  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Whoever is it by the sentinel now. */
  async primary(): Promise<PrivateRedis> {
    const answer = await this.#ask(`SENTINEL GET-MASTER-ADDR-BY-NAME ${this.name}`);
    return this.#servers.find(({ port }) => answer.includes(`\r\n${port}\r\n`))!;
  }

  /** Has another one promoted, as an operator would; the former lives on, and becomes its replica. */
  async failover(): Promise<void> {
    const before = await this.primary();
    const begun = async (): Promise<boolean> => (await this.#ask(`SENTINEL FAILOVER ${this.name}`)).startsWith('+OK');
    await until('a failover begins', begun, { withinMs: READY_WITHIN_MS, everyMs: 200 });
    await until('another is the primary', async () => (await this.primary()) !== before, { withinMs: READY_WITHIN_MS });
  }

  /** Ends all of it and deletes its data. Safe twice. */
  async remove(): Promise<void> {
    await this.#sentinel?.end('SIGKILL');
    await Promise.all(this.#servers.map((server) => server.remove()));
    removeFolder(this.#folder);
  }

  async #start(programs: RedisPrograms): Promise<void> {
    const primary = await PrivateRedis.of(programs);
    this.#servers.push(primary);
    for (let made = 0; made < REPLICAS; made++)
      this.#servers.push(await PrivateRedis.of(programs, ['--replicaof', '127.0.0.1', String(primary.port)]));
    const file = join(this.#folder, 'sentinel.conf'); // it writes there what it finds
    const watch = [
      `sentinel monitor ${this.name} 127.0.0.1 ${primary.port} 1`,
      `sentinel down-after-milliseconds ${this.name} 500`,
      `sentinel failover-timeout ${this.name} 3000`,
    ];
    writeFileSync(file, [`port ${this.port}`, 'bind 127.0.0.1', `dir ${this.#folder}`, ...watch, ''].join('\n'));
    this.#sentinel = new ProcessGroup({
      program: programs['redis-server'],
      args: [file, '--sentinel'],
      logFile: join(this.#folder, 'log'),
    });
    const ready = async (): Promise<boolean> => {
      const known = await this.#ask(`SENTINEL CKQUORUM ${this.name}`);
      const info = await primary.ask('INFO replication');
      const replicas = (await this.#ask(`SENTINEL REPLICAS ${this.name}`)).startsWith(`*${REPLICAS}\r`);
      return known.startsWith('+OK') && replicas && info.split('state=online').length === REPLICAS + 1;
    };
    await this.#sentinel.until('a private sentinel', ready, READY_WITHIN_MS);
  }

  async #ask(line: string): Promise<string> {
    return (await firstAnswer(this.port, Buffer.from(`${line}\r\n`)))?.toString() ?? '';
  }
}
