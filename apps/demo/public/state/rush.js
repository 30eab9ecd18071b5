import * as apps from './apps.client.js';

const SAMPLES = 120;
const SAMPLE_EVERY_MS = 150;
/** Browsers open six connections to one address; more at once only queue inside the browser. */
const CLIENTS = 12;

/** A contest's last minute: many gifts at once through the intake, and the backlog that they leave. */
export class Rush {
  running = false;
  planned = 0;
  accepted = 0;
  refused = 0;
  failed = 0;
  backlog = 0;
  limit = undefined;
  peak = 0;
  /** Backlogs, the newest last; null where gift-api did not answer. */
  samples = [];
  #watching = false;

  constructor(changed) {
    this.changed = changed;
  }

  get begun() {
    return this.planned > 0;
  }

  async run(count, rooms, catalogue) {
    if (this.running || rooms.length === 0 || catalogue.length === 0) return;
    Object.assign(this, { running: true, planned: count, accepted: 0, refused: 0, failed: 0, peak: 0, samples: [] });
    void this.#watch();
    let next = 0;
    const client = async () => {
      while (next < count) {
        const index = next++;
        await this.#send({
          roomId: pick(rooms, Math.random() < 0.5 ? 0 : Math.random()).roomId,
          viewerId: `viewer-${String(1 + Math.floor(60 * Math.random() ** 2)).padStart(3, '0')}`,
          gift: pick(catalogue, Math.random() ** 2).gift,
          quantity: index % 7 === 0 ? 3 : 1,
        });
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
    this.running = false;
    this.changed();
  }

  async #send(gift) {
    try {
      await apps.enqueueGift(gift);
      this.accepted += 1;
    } catch (error) {
      if (error.status === 503) this.refused += 1;
      else this.failed += 1;
    }
    this.changed();
  }

  /** Samples the backlog while the rush runs, and on until it is gone. */
  async #watch() {
    if (this.#watching) return;
    this.#watching = true;
    for (let quiet = 0; this.running || quiet < 8;) {
      try {
        const { backlog, limit } = await apps.backlog();
        Object.assign(this, { backlog, limit, peak: Math.max(this.peak, backlog) });
        this.samples = [...this.samples, backlog].slice(-SAMPLES);
        quiet = backlog === 0 && !this.running ? quiet + 1 : 0;
      } catch {
        this.samples = [...this.samples, null].slice(-SAMPLES);
      }
      this.changed();
      await new Promise((resolve) => setTimeout(resolve, SAMPLE_EVERY_MS));
    }
    this.#watching = false;
  }
}

const pick = (list, share) => list[Math.min(list.length - 1, Math.floor(share * list.length))];
