import { TidingsError } from '@tidings/core';
import { RemotingConnection, type RemotingAnswer, type RemotingQuestion } from './remoting-connection';
import { RocketMqRefusedError, RocketMqShapeError } from './rocketmq.errors';
import type { RocketMqSettings } from './rocketmq.options';
import { type StoredMessage, storedMessages } from './stored-message';

/** Request codes of apache/rocketmq's RequestCode. */
const ASK = {
  pull: 11,
  queryOffset: 14,
  updateOffset: 15,
  createTopic: 17,
  maxOffset: 30,
  minOffset: 31,
  clusters: 106,
  createGroup: 200,
  deleteGroup: 207,
  deleteTopic: 215,
  deleteTopicAtNameServer: 216,
  groupsOfTopic: 300,
  topicConfig: 351,
  groupConfig: 352,
} as const;

/** Answer codes of its ResponseCode. */
const ANSWER = {
  ok: 0,
  topicUnknown: 17,
  pullNothing: 19,
  pullAgain: 20,
  pullMoved: 21,
  offsetUnknown: 22,
  groupUnknown: 26,
} as const;

export type TopicType = 'FIFO' | 'NORMAL' | 'DELAY' | 'TRANSACTION';

interface TopicConfig {
  readonly readQueueNums: number;
  readonly attributes?: Readonly<Record<string, string>>;
}

interface GroupConfig {
  readonly consumeMessageOrderly: boolean;
}

export interface GroupShape {
  readonly ordered: boolean;
  readonly deliveries: number;
}

/** Read and write. */
const PERMISSION = 6;
const PULL_PAGE = 32;

/** Creates, asks for and deletes topics and groups at every broker of the cluster, each call on a connection of its own: they are few. */
export class BrokerAdmin {
  constructor(private readonly settings: RocketMqSettings) {}

  /** Does nothing to a topic that exists. @throws RocketMqShapeError when that is of another type. */
  async ensureTopic(topic: string, type: TopicType): Promise<void> {
    const { queues } = this.settings;
    await this.#everywhere(async (broker) => {
      const found = configOf<TopicConfig>(
        await broker.call({ code: ASK.topicConfig, fields: { topic } }),
        ANSWER.topicUnknown,
        `tell of topic ${topic}`,
      );
      if (found) {
        const is = found.attributes?.['message.type'] ?? 'NORMAL';
        if (is !== type) throw new RocketMqShapeError(`topic ${topic}`, `of type ${type}`, `of type ${is}`);
        return;
      }
      const fields = {
        topic,
        defaultTopic: 'TBW102',
        readQueueNums: queues,
        writeQueueNums: queues,
        perm: PERMISSION,
        topicFilterType: 'SINGLE_TAG',
        topicSysFlag: 0,
        order: String(type === 'FIFO'),
        attributes: `+message.type=${type}`,
      };
      granted(await broker.call({ code: ASK.createTopic, fields }), `create topic ${topic}`);
    });
  }

  /** Does nothing to a group that exists. @throws RocketMqShapeError when that is ordered and ours is not, or the other way round. */
  async ensureGroup(group: string, { ordered, deliveries }: GroupShape): Promise<void> {
    await this.#everywhere(async (broker) => {
      const found = configOf<GroupConfig>(
        await broker.call({ code: ASK.groupConfig, fields: { group } }),
        ANSWER.groupUnknown,
        `tell of group ${group}`,
      );
      if (found) {
        const text = (orderly: boolean): string => (orderly ? 'ordered' : 'unordered');
        if (found.consumeMessageOrderly !== ordered)
          throw new RocketMqShapeError(`group ${group}`, text(ordered), text(!ordered));
        return;
      }
      const config = {
        groupName: group,
        consumeEnable: true,
        consumeFromMinEnable: true,
        consumeBroadcastEnable: true,
        consumeMessageOrderly: ordered,
        retryQueueNums: 1,
        retryMaxTimes: deliveries - 1,
        brokerId: 0,
        whichBrokerWhenConsumeSlowly: 1,
        notifyConsumerIdsChangedEnable: true,
        groupSysFlag: 0,
        consumeTimeoutMinute: 15,
      };
      granted(
        await broker.call({ code: ASK.createGroup, body: Buffer.from(JSON.stringify(config)) }),
        `create group ${group}`,
      );
    });
  }

  /**
   * Where a group begins that is new on a topic; one that has a place there keeps it. The end is read before the place: of two that declare a group at
   * once, the later one may set the group back, and never past what was published when the first one was done.
   */
  async begin(group: string, topic: string, from: 'now' | 'earliest'): Promise<void> {
    await this.#everywhere(async (broker) => {
      const begin = async (queueId: number): Promise<void> => {
        const code = from === 'now' ? ASK.maxOffset : ASK.minOffset;
        const end = granted(await broker.call({ code, fields: { topic, queueId } }), `tell the ends of topic ${topic}`);
        const place = { consumerGroup: group, topic, queueId };
        const known = await broker.call({ code: ASK.queryOffset, fields: { ...place, setZeroIfNotFound: 'false' } });
        if (known.code === ANSWER.ok) return;
        if (known.code !== ANSWER.offsetUnknown)
          throw new RocketMqRefusedError(`tell where group ${group} is`, known.code, known.remark);
        const commitOffset = Math.max(0, Number(end.fields['offset'] ?? 0));
        granted(
          await broker.call({ code: ASK.updateOffset, fields: { ...place, commitOffset } }),
          `begin group ${group} on ${topic}`,
        );
      };
      await Promise.all((await queuesOf(broker, topic)).map(begin));
    });
  }

  /** Native names of the groups that have a place on the topic. */
  async groupsOf(topic: string): Promise<ReadonlySet<string>> {
    const groups = new Set<string>();
    await this.#everywhere(async (broker) => {
      const answer = await broker.call({ code: ASK.groupsOfTopic, fields: { topic } });
      if (answer.code === ANSWER.topicUnknown) return;
      const { groupList = [] } = jsonOf(granted(answer, `tell the groups of ${topic}`).body) as {
        groupList?: string[];
      };
      for (const group of groupList) groups.add(group);
    });
    return groups;
  }

  async hasGroup(group: string): Promise<boolean> {
    let everywhere = true;
    await this.#everywhere(async (broker) => {
      const answer = await broker.call({ code: ASK.groupConfig, fields: { group } });
      everywhere &&= configOf(answer, ANSWER.groupUnknown, `tell of group ${group}`) !== undefined;
    });
    return everywhere;
  }

  /** With what waits in it, and what the broker keeps for retries of its groups. */
  async deleteTopic(topic: string): Promise<void> {
    await this.#everywhere(async (broker) => {
      granted(await broker.call({ code: ASK.deleteTopic, fields: { topic } }), `delete topic ${topic}`);
    });
    await this.#at(this.#nameServer, async (nameServer) => {
      const answer = await nameServer.call({ code: ASK.deleteTopicAtNameServer, fields: { topic } });
      if (answer.code !== ANSWER.topicUnknown) granted(answer, `delete topic ${topic} at the name server`);
    });
  }

  async deleteGroup(group: string): Promise<void> {
    await this.#everywhere(async (broker) => {
      granted(
        await broker.call({ code: ASK.deleteGroup, fields: { groupName: group, cleanOffset: 'true' } }),
        `delete group ${group}`,
      );
    });
  }

  /** What a topic keeps from where the group is on, oldest first, up to `limit`; the group's place stays. */
  async read(topic: string, group: string, limit: number): Promise<readonly StoredMessage[]> {
    const read: StoredMessage[] = [];
    await this.#everywhere(async (broker) => {
      for (const queueId of await queuesOf(broker, topic)) {
        const found: StoredMessage[] = [];
        const place = { consumerGroup: group, topic, queueId };
        const known = await broker.call({ code: ASK.queryOffset, fields: { ...place, setZeroIfNotFound: 'false' } });
        let queueOffset = known.code === ANSWER.ok ? Number(known.fields['offset'] ?? 0) : 0;
        while (found.length < limit) {
          const answer = await broker.call(pullOf(group, topic, queueId, queueOffset));
          const next = Number(answer.fields['nextBeginOffset'] ?? queueOffset);
          if (answer.code === ANSWER.ok) found.push(...storedMessages(answer.body));
          else if (answer.code !== ANSWER.pullMoved && answer.code !== ANSWER.pullAgain) break; // nothing more
          if (next <= queueOffset) break;
          queueOffset = next;
        }
        read.push(...found);
      }
    });
    return read.sort((a, b) => a.storedAt - b.storedAt).slice(0, limit);
  }

  get #nameServer(): string {
    const { nameServer, urls } = this.settings;
    return nameServer ?? `${new URL(urls[0]!).hostname}:9876`;
  }

  async #everywhere(work: (broker: RemotingConnection) => Promise<void>): Promise<void> {
    for (const address of await this.#masters()) await this.#at(address, work);
  }

  async #at(address: string, work: (connection: RemotingConnection) => Promise<void>): Promise<void> {
    const { clock, connectTimeoutMs } = this.settings;
    const connection = await RemotingConnection.open(address, clock, connectTimeoutMs);
    try {
      await work(connection);
    } finally {
      connection.close();
    }
  }

  async #masters(): Promise<readonly string[]> {
    let masters: string[] = [];
    await this.#at(this.#nameServer, async (nameServer) => {
      const { body } = granted(await nameServer.call({ code: ASK.clusters }), 'tell the brokers');
      const { brokerAddrTable = {} } = jsonOf(body) as {
        brokerAddrTable?: Readonly<Record<string, { readonly brokerAddrs: Readonly<Record<string, string>> }>>;
      };
      masters = Object.values(brokerAddrTable).flatMap(({ brokerAddrs }) => brokerAddrs['0'] ?? []);
    });
    if (masters.length > 0) return masters;
    throw new TidingsError(
      'TIDINGS_ROCKETMQ_AWAY',
      `rocketmq: expected a broker at name server ${this.#nameServer}, found none; start the broker, or check nameServer`,
    );
  }
}

const granted = (answer: RemotingAnswer, asked: string): RemotingAnswer => {
  if (answer.code === ANSWER.ok) return answer;
  throw new RocketMqRefusedError(asked, answer.code, answer.remark);
};

function configOf<Config>(answer: RemotingAnswer, unknown: number, asked: string): Config | undefined {
  return answer.code === unknown ? undefined : (jsonOf(granted(answer, asked).body) as Config);
}

async function queuesOf(broker: RemotingConnection, topic: string): Promise<readonly number[]> {
  const answer = await broker.call({ code: ASK.topicConfig, fields: { topic } });
  const config = configOf<TopicConfig>(answer, ANSWER.topicUnknown, `tell of topic ${topic}`);
  return Array.from({ length: config?.readQueueNums ?? 0 }, (_, queue) => queue);
}

const pullOf = (consumerGroup: string, topic: string, queueId: number, queueOffset: number): RemotingQuestion => ({
  code: ASK.pull,
  fields: {
    consumerGroup,
    topic,
    queueId,
    queueOffset,
    maxMsgNums: PULL_PAGE,
    /** The subscription comes along (PullSysFlag). */
    sysFlag: 4,
    commitOffset: 0,
    suspendTimeoutMillis: 0,
    subscription: '*',
    subVersion: 0,
    expressionType: 'TAG',
  },
});

/** The brokers' JSON has numbers for names, unquoted. */
const jsonOf = (body: Buffer): unknown => JSON.parse(body.toString('utf8').replace(/([{,])(\d+):/g, '$1"$2":') || '{}');
