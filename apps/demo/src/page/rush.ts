import { randomUUID } from 'node:crypto';
import { AppReads, type AppAddress } from '../apps/app-reads';
import { generateGifts, type PlannedGift } from '../check/gift-generator';

/** How far a rush is: for the page's eyes. */
export interface RushProgress {
  readonly running: boolean;
  readonly planned: number;
  /** 202: enqueued, and a consumer will write the gift. */
  readonly accepted: number;
  /** 503: past the backlog's limit. */
  readonly refused: number;
  /** No answer, or another one. */
  readonly failed: number;
}

/** A browser opens six connections to one address; a contest's last minute is more than that. */
const CLIENTS = 48;

/** Many viewers at once, through the intake. A refused gift is not sent again here, so that the page can show how many were. */
export class Rush {
  #progress: RushProgress = { running: false, planned: 0, accepted: 0, refused: 0, failed: 0 };

  constructor(private readonly addressOf: AppAddress) {}

  get progress(): RushProgress {
    return this.#progress;
  }

  /** False when one is running already. Rejects when gift-api is away. */
  async start(count: number): Promise<boolean> {
    if (this.#progress.running) return false;
    this.#progress = { running: true, planned: count, accepted: 0, refused: 0, failed: 0 };
    try {
      const reads = new AppReads(this.addressOf);
      const [rooms, catalogue] = await Promise.all([reads.rooms(), reads.catalogue()]);
      const run = randomUUID();
      const gifts = generateGifts({
        count,
        run,
        seed: Number.parseInt(run.slice(0, 8), 16),
        rooms: rooms.map((room) => room.roomId),
        gifts: catalogue.map((entry) => entry.gift),
      });
      void this.#send(gifts);
      return true;
    } catch (error) {
      this.#progress = { ...this.#progress, running: false };
      throw error;
    }
  }

  async #send(gifts: readonly PlannedGift[]): Promise<void> {
    let next = 0;
    const client = async (): Promise<void> => {
      for (let gift = gifts[next++]; gift; gift = gifts[next++]) {
        const outcome = await this.#enqueue(gift);
        this.#progress = { ...this.#progress, [outcome]: this.#progress[outcome] + 1 };
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
    this.#progress = { ...this.#progress, running: false };
  }

  async #enqueue({ idempotencyKey, ...gift }: PlannedGift): Promise<'accepted' | 'refused' | 'failed'> {
    try {
      const response = await fetch(`${this.addressOf('gift-api')}/intake/gifts`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
        body: JSON.stringify(gift),
        signal: AbortSignal.timeout(20_000),
      });
      await response.arrayBuffer(); // a body left unread keeps its connection
      return response.ok ? 'accepted' : response.status === 503 ? 'refused' : 'failed';
    } catch {
      return 'failed';
    }
  }
}
