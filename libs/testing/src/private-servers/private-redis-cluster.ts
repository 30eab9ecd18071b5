import { until } from '../until';
import { freePort } from './free-port';
import { PrivateRedis, type RedisPrograms } from './private-redis';

const MASTERS = 3;
const SLOTS = 16_384;
const AGREED_WITHIN_MS = 30_000;

/** A Redis Cluster: three masters, of which the first has a replica. A script whose keys are of two slots, and a client that does not follow, fail here. */
export class PrivateRedisCluster {
  private constructor(readonly nodes: readonly PrivateRedis[]) {}

  static async of(programs: RedisPrograms): Promise<PrivateRedisCluster> {
    const nodes: PrivateRedis[] = [];
    const cluster = new PrivateRedisCluster(nodes);
    try {
      for (let at = 0; at <= MASTERS; at++) {
        const bus = await freePort(); // by default it is 10,000 higher than the clients', where there may be none
        const settings = ['--cluster-enabled', 'yes', '--cluster-port', String(bus), '--cluster-node-timeout', '2000'];
        const node = await PrivateRedis.of(programs, settings);
        nodes.push(node);
        const [from, end] = [at, at + 1].map((part) => Math.floor((part * SLOTS) / MASTERS));
        if (at < MASTERS) await node.tell(`CLUSTER ADDSLOTSRANGE ${from} ${end! - 1}`);
        await node.tell(`CLUSTER SET-CONFIG-EPOCH ${at + 1}`);
        await nodes[0]!.tell(`CLUSTER MEET 127.0.0.1 ${node.port} ${bus}`);
      }
      await cluster.#agreed();
      await cluster.#replicate(nodes[MASTERS]!, nodes[0]!);
    } catch (thrown) {
      await cluster.remove();
      throw thrown;
    }
    return cluster;
  }

  /** Of one node, which tells of the others. */
  get url(): string {
    return this.nodes[0]!.url;
  }

  /** Ends all of it and deletes its data. Safe twice. */
  async remove(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.remove()));
  }

  async #agreed(): Promise<void> {
    const agrees = async (node: PrivateRedis): Promise<boolean> => {
      const info = await node.ask('CLUSTER INFO');
      return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${MASTERS + 1}\r`);
    };
    const all = async (): Promise<boolean> => (await Promise.all(this.nodes.map(agrees))).every(Boolean);
    await until('a private Redis Cluster', all, { withinMs: AGREED_WITHIN_MS, everyMs: 50 });
  }

  async #replicate(replica: PrivateRedis, master: PrivateRedis): Promise<void> {
    const [, id] = (await master.ask('CLUSTER MYID')).split('\r\n');
    await replica.tell(`CLUSTER REPLICATE ${id}`);
    const linked = async (): Promise<boolean> => (await replica.ask('INFO replication')).includes('master_link_status:up'); // prettier-ignore
    await until('the replica of a private Redis Cluster', linked, { withinMs: AGREED_WITHIN_MS, everyMs: 50 });
  }
}
