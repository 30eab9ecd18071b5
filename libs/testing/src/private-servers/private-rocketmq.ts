import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { firstAnswer } from './first-answer';
import { freePort } from './free-port';
import { madeAndStarted } from './made-and-started';
import { privateFolder, removeFolder } from './private-folder';
import type { PrivateServer } from './private-server';
import { ProcessGroup } from './process-group';
import { rocketMqJars } from './rocketmq-jars';

const START_WITHIN_MS = 120_000;
const BROKER = 'broker-private';

/** HTTP/2's preface and empty SETTINGS, which gRPC begins with; the answer is a frame of type 4. */
const GRPC = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])]);
const SETTINGS_TYPE = 4;

/** The name server's GET_BROKER_CLUSTER_INFO: a frame of the remoting protocol, with a JSON header and no body. */
const CLUSTER_INFO = ((): Buffer => {
  const header = Buffer.from(JSON.stringify({ code: 106, flag: 0, language: 'JAVA', opaque: 0, version: 0 }));
  const lengths = Buffer.alloc(8);
  lengths.writeUInt32BE(4 + header.length, 0);
  lengths.writeUInt32BE(header.length, 4);
  return Buffer.concat([lengths, header]);
})();

interface Ports {
  readonly names: number;
  readonly grpc: number;
  readonly remoting: number;
  /** The broker's; it takes the port two below as well. */
  readonly broker: number;
  readonly replicas: number;
}

/** A name server, and a broker with the gRPC proxy in one process. `url` is the proxy's. */
export class PrivateRocketMq implements PrivateServer {
  #groups: ProcessGroup[] = [];
  readonly #folder = privateFolder('rocketmq');

  private constructor(
    private readonly java: string,
    private readonly ports: Ports,
  ) {}

  /** Made and started: ten to thirty seconds. */
  static async of(programs: { readonly java: string }): Promise<PrivateRocketMq> {
    const [names, grpc, remoting] = [await freePort(), await freePort(), await freePort()];
    const server = new PrivateRocketMq(programs.java, {
      ...{ names, grpc, remoting },
      ...{ broker: await freePort(), replicas: await freePort() },
    });
    return madeAndStarted(server, () => server.#make());
  }

  get url(): string {
    return `rocketmq://127.0.0.1:${this.ports.grpc}`;
  }

  get nameServer(): string {
    return `127.0.0.1:${this.ports.names}`;
  }

  /** The name server has another port here than clients take for granted. */
  portOf(usual: number): number {
    return usual === 9876 ? this.ports.names : usual;
  }

  async start(): Promise<void> {
    const { names, grpc } = this.ports;
    const nameServer = this.#run('namesrv', 'org.apache.rocketmq.namesrv.NamesrvStartup', ['-c', this.#conf('namesrv')]); // prettier-ignore
    const broker = this.#run('proxy', 'org.apache.rocketmq.proxy.ProxyStartup', ['-n', this.nameServer, '-pm', 'local', '-bc', this.#conf('broker'), '-pc', this.#conf('proxy')]); // prettier-ignore
    this.#groups = [broker, nameServer];
    const answers = async (): Promise<boolean> =>
      (await firstAnswer(grpc, GRPC))?.[3] === SETTINGS_TYPE &&
      ((await firstAnswer(names, CLUSTER_INFO))?.includes(BROKER) ?? false);
    await broker.until('a private RocketMQ', answers, START_WITHIN_MS);
  }

  async stop(): Promise<void> {
    for (const group of this.#groups) await group.end('SIGTERM', 60_000);
  }

  /** The system's cache outlives it: what the broker had written to its files is there again. */
  async crash(): Promise<void> {
    await Promise.all(this.#groups.map((group) => group.end('SIGKILL')));
  }

  async remove(): Promise<void> {
    await this.crash();
    removeFolder(this.#folder);
  }

  #run(name: string, main: string, args: readonly string[]): ProcessGroup {
    const jars = rocketMqJars();
    const lean = [
      '-Xms128m',
      '-Xmx384m',
      '-XX:MaxDirectMemorySize=256m',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
    ];
    const settings = [
      '--add-exports=java.base/sun.nio.ch=ALL-UNNAMED',
      '-Djava.net.preferIPv4Stack=true',
      '-Dtls.server.mode=disabled',
      `-Drmq.logback.configurationFile=rmq.${name}.logback.xml`,
      `-Duser.home=${this.#folder}`, // the store and the logs go below it
    ];
    return new ProcessGroup({
      program: this.java,
      args: [...lean, ...settings, '-cp', join(jars?.folder ?? '', '*'), main, ...args],
      env: { ROCKETMQ_HOME: this.#folder, ...(jars?.loopback !== undefined && { LD_PRELOAD: jars.loopback }) },
      logFile: join(this.#folder, `${name}.log`),
    });
  }

  #conf(name: 'namesrv' | 'broker' | 'proxy'): string {
    return join(this.#folder, `${name}.conf`);
  }

  #make(): void {
    const { names, grpc, remoting, broker, replicas } = this.ports;
    const lines = (settings: object): string =>
      Object.entries(settings).map(([name, value]) => `${name}=${String(value)}\n`).join(''); // prettier-ignore
    writeFileSync(this.#conf('namesrv'), lines({ bindAddress: '127.0.0.1', listenPort: names }));
    writeFileSync(
      this.#conf('proxy'),
      JSON.stringify({
        rocketMQClusterName: 'DefaultCluster',
        namesrvAddr: this.nameServer,
        localServeAddr: '127.0.0.1',
        grpcServerPort: grpc,
        remotingListenPort: remoting,
        grpcShutdownTimeSeconds: 2,
        minInvisibleTimeMillsForRecv: 1_000,
        enablePrintJstack: false,
      }),
    );
    writeFileSync(
      this.#conf('broker'),
      lines({
        brokerClusterName: 'DefaultCluster',
        brokerName: BROKER,
        brokerId: 0,
        namesrvAddr: this.nameServer,
        brokerIP1: '127.0.0.1',
        brokerIP2: '127.0.0.1',
        bindAddress: '127.0.0.1',
        listenPort: broker,
        haListenPort: replicas,
        // A crash takes the places along that groups got since: by default those of 5 s, the first one of a new group among them.
        flushConsumerOffsetInterval: 200,
        autoCreateTopicEnable: false,
        autoCreateSubscriptionGroup: false,
        // Small files, and a disk that is allowed to be nearly full.
        mappedFileSizeCommitLog: 64 * 1024 * 1024,
        mappedFileSizeTimerLog: 16 * 1024 * 1024,
        mappedFileSizeConsumeQueue: 600_000,
        diskMaxUsedSpaceRatio: 95,
        diskSpaceWarningLevelRatio: 98,
      }),
    );
  }
}
