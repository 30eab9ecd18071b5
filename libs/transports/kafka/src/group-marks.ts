import { asError } from '@tidings/core';
import type { CommittedOffset, KafkaConsumer, TopicPartition } from './client/kafka-client';
import type { KafkaSettings } from './kafka.options';
import type { PartitionProgress } from './partition-progress';

export const idOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

/** The low-water marks of one consumer's partitions, and their commits: one at a time, and what is settled meanwhile goes by the next. */
export class GroupMarks {
  #progress: ReadonlyMap<string, PartitionProgress> = new Map();
  #consumer: KafkaConsumer | undefined;
  #busy = false;

  constructor(
    private readonly groupId: string,
    private readonly settings: Pick<KafkaSettings, 'clock' | 'commitIntervalMs' | 'logger'>,
    private readonly stopping: AbortSignal,
  ) {}

  /** Of a new generation. Resolves when it is told that this reader may begin anything from now on. */
  async keep(progress: ReadonlyMap<string, PartitionProgress>, consumer: KafkaConsumer | undefined): Promise<void> {
    if (this.#progress === progress) return;
    this.#progress = progress;
    this.#consumer = consumer;
    await this.commit(false);
  }

  /** Nothing of it is committed from now on. */
  giveUp(): void {
    for (const progress of this.#progress.values()) progress.alive = false;
    this.#progress = new Map();
  }

  commitSoon(): void {
    if (!this.#busy) void this.#commitLater();
  }

  async #commitLater(): Promise<void> {
    this.#busy = true;
    const { clock, commitIntervalMs } = this.settings;
    do {
      await new Promise<void>((resolve) => setImmediate(resolve));
      await this.commit(false);
      await clock.wait(commitIntervalMs, this.stopping);
    } while (!this.stopping.aborted && [...this.#progress.values()].some(({ changed }) => changed));
    this.#busy = false;
  }

  /** Never rejects: what is not committed is handled again. `closed`: nothing of it is worked on any more. */
  async commit(closed: boolean): Promise<void> {
    const marks: CommittedOffset[] = [];
    const marked: PartitionProgress[] = [];
    for (const [id, progress] of this.#progress) {
      if (!progress.alive || !(progress.changed || closed)) continue;
      progress.changed = false;
      marked.push(progress);
      const at = id.lastIndexOf('/');
      marks.push({ topic: id.slice(0, at), partition: Number(id.slice(at + 1)), ...progress.mark(closed) });
    }
    if (marks.length === 0) return;
    try {
      await this.#consumer?.commit(marks);
    } catch (thrown) {
      const problem = 'offsets were not committed: their deliveries may come again';
      this.settings.logger.debug({ group: this.groupId, err: asError(thrown) }, problem);
      for (const progress of marked) progress.changed = true;
    }
  }
}
