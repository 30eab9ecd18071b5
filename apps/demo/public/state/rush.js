import * as apps from './apps.client.js';

const SAMPLES = 120;
const SAMPLE_EVERY_MS = 120;
/** Samples without any backlog before the watch ends: a consumer may publish once more. */
const QUIET = 10;

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

  async start(count) {
    if (this.running) return;
    Object.assign(this, await apps.startRush(count), { peak: 0, samples: [] });
    this.changed();
    void this.watch();
  }

  /** Follows a rush, whoever started it, and its backlog until that is gone. */
  async watch() {
    if (this.#watching) return;
    this.#watching = true;
    for (let quiet = 0; quiet < QUIET;) {
      const [progress, reading] = await Promise.allSettled([apps.rushProgress(), apps.backlog()]);
      if (progress.value) Object.assign(this, progress.value);
      const backlog = reading.value?.backlog ?? null;
      if (reading.value)
        Object.assign(this, { backlog, limit: reading.value.limit, peak: Math.max(this.peak, backlog) });
      this.samples = [...this.samples, backlog].slice(-SAMPLES);
      quiet = this.running || backlog !== 0 ? 0 : quiet + 1;
      this.changed();
      await new Promise((resolve) => setTimeout(resolve, SAMPLE_EVERY_MS));
    }
    this.#watching = false;
  }
}
