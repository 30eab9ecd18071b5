/**
 * What this transport needs of a Kafka client, and nothing more: two clients are behind it. Names are physical ones. Each call rejects when the
 * broker does not do what is asked; `codeOfKafka` tells why in Kafka's own words.
 */
export interface KafkaClient {
  /** Not yet connected. */
  producer(): KafkaProducer;
  admin(): KafkaAdmin;
  /** Not yet started; ends by `close` or by `crashed`, and is not started again. */
  consumer(plan: KafkaConsumerPlan, events: KafkaConsumerEvents): KafkaConsumer;
}

export type KafkaHeaders = Readonly<Record<string, string | Buffer | readonly (string | Buffer)[] | undefined>>;

export interface KafkaRecord {
  readonly partition: number;
  readonly key: Buffer | null;
  readonly value: Buffer;
  readonly headers: KafkaHeaders;
}

export interface FetchedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: KafkaHeaders;
}

export interface KafkaProducer {
  connect(): Promise<void>;
  /** All of it, or a rejection: then nobody knows what arrived. Records of one partition arrive in their order. */
  send(topic: string, records: readonly KafkaRecord[]): Promise<void>;
  close(): Promise<void>;
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** A group's place in a partition, and what it wrote beside it. */
export interface CommittedOffset extends TopicPartition {
  /** The next to be read; negative: none was committed. */
  readonly offset: number;
  readonly metadata: string;
}

export interface KafkaConsumerPlan {
  readonly groupId: string;
  readonly topics: readonly string[];
}

export interface KafkaConsumerEvents {
  /** Before the group is joined, the first time and at each rebalance. What is held may still be committed; afterwards others may own it. */
  beforeJoin(): Promise<void>;
  /** The group is joined; these partitions are ours, and no others. Reading begins at what is committed. */
  assigned(partitions: readonly TopicPartition[]): void;
  /** What was read, in order. The next of this partition comes when it resolves. `end`: the offset that the log had got to. */
  records(records: readonly FetchedRecord[], end: number): Promise<void>;
  /** The group's coordinator has answered. */
  alive(): void;
  /** It has ended by itself. Once. */
  crashed(error: Error): void;
}

export interface KafkaConsumer {
  /** Resolves when it is on its way to join. */
  start(): Promise<void>;
  commit(offsets: readonly CommittedOffset[]): Promise<void>;
  pause(partition: TopicPartition): void;
  resume(partition: TopicPartition): void;
  /** Leaves the group. Commits nothing. Safe twice and after a crash. */
  close(): Promise<void>;
}

export interface TopicPlan {
  readonly topic: string;
  readonly partitions: number;
  /** -1: the broker's default. */
  readonly replicas: number;
  readonly config: Readonly<Record<string, string>>;
}

export interface KafkaAdmin {
  /** Rejects when no broker answers. */
  probe(): Promise<void>;
  /** The number of its partitions; 0 when there is no such topic, or not yet. */
  partitions(topic: string): Promise<number>;
  /** One that exists is left as it is. Resolves when the cluster has decided it; its brokers may hear of it later. */
  create(topics: readonly TopicPlan[]): Promise<void>;
  /** What does not exist is no error. */
  deleteTopics(topics: readonly string[]): Promise<void>;
  deleteGroup(groupId: string): Promise<void>;
  /** The oldest offset kept and the next to be written, of each partition. */
  ends(topic: string): Promise<readonly { readonly partition: number; readonly low: number; readonly high: number }[]>;
  /** The first offset at or after an instant, of each partition; its end when there is none. */
  offsetsAt(topic: string, timeMs: number): Promise<readonly { readonly partition: number; readonly offset: number }[]>;
  committed(groupId: string, topic: string, partitions: number): Promise<readonly CommittedOffset[]>;
  /** From outside of the group: rejects while it has consumers. */
  commit(groupId: string, offsets: readonly CommittedOffset[]): Promise<void>;
  /** Records from an offset on, at least one if there is one; no group is asked. */
  read(topic: string, partition: number, offset: number): Promise<readonly FetchedRecord[]>;
  close(): Promise<void>;
}

/** Kafka's own word for what went wrong, as `UNKNOWN_TOPIC_OR_PARTITION`; undefined when it was not the broker that said no. */
export function codeOfKafka(error: unknown): string | undefined {
  for (let at: unknown = error; typeof at === 'object' && at !== null;) {
    const { type, apiId, cause, errors } = at as Record<string, unknown>;
    if (typeof type === 'string' && /^[A-Z_]+$/.test(type)) return type;
    if (typeof apiId === 'string') return apiId;
    const inner: unknown = Array.isArray(errors) ? errors.map(codeOfKafka).find(Boolean) : undefined;
    if (typeof inner === 'string') return inner;
    at = cause;
  }
  return undefined;
}
