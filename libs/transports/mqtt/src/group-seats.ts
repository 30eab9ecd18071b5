import { asError, backoffMs, type Subscription } from '@tidings/core';
import type { GroupPresence } from './group-presence';
import type { MqttSettings } from './mqtt.options';
import type { MqttSeat } from './mqtt-seat';

/** So often a seat is tried before a start fails: consumers that start together may take it from each other first. */
const START_ATTEMPTS = 4;

/**
 * The seats of one consumer. A group is `seats` sessions at the broker, and every consumer holds its share of them: of n consumers, in the order of their
 * ids, the one at `seat % n`. Who learns by presence that a seat is another's gives it away when what it has begun there is settled; who is entitled to
 * it connects as soon as nobody tells of holding it. The broker has the last word: one client id is one connection (MQTT 5.0, 3.1.4), so that of two who
 * hold different views the later one has the seat.
 */
export class GroupSeats {
  readonly #seats = new Map<number, MqttSeat>();
  readonly #leaving = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  /** Seats that somebody was seen at: their sessions exist. */
  readonly #declared = new Set<number>();
  readonly #failures = new Map<number, number>();
  #declaring: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;
  #forget: (() => void) | undefined;

  constructor(
    private readonly id: string,
    private readonly subscription: Pick<Subscription, 'topic' | 'group' | 'broadcast'>,
    private readonly presence: GroupPresence,
    private readonly settings: MqttSettings,
    private readonly make: (seat: number) => MqttSeat,
  ) {}

  get #count(): number {
    return this.subscription.broadcast ? 1 : this.settings.seats;
  }

  /** Each seat that is this consumer's is connected. */
  get healthy(): boolean {
    if (this.#stopping.signal.aborted) return false;
    return this.#entitled().every((seat) => this.#seats.get(seat)?.connected || this.#heldByOthers().has(seat));
  }

  /** Resolves when each seat has a session at the broker; rejects when one could not be had. Call once. */
  async start(): Promise<void> {
    const declared = new Promise<void>((resolve, reject) => (this.#declaring = { resolve, reject }));
    if (!this.subscription.broadcast) {
      this.#forget = this.presence.onChange(() => this.#arrange());
      await this.presence.join(this.#consumer(false));
    }
    this.#arrange();
    await declared;
    this.#declaring = undefined;
  }

  /** Takes no seat any more, and nothing from those it has; they stay connected until `leave`. */
  async stop(): Promise<void> {
    this.#forget?.();
    this.#stopping.abort();
    for (const seat of this.#seats.values()) seat.end();
    if (!this.subscription.broadcast) await this.presence.update(this.#consumer(true));
  }

  /** Gives all seats away. What is not settled goes to whoever takes them next. */
  async leave(): Promise<void> {
    await Promise.all([...[...this.#seats.values()].map((seat) => seat.close()), ...this.#leaving]);
    this.#seats.clear();
    if (!this.subscription.broadcast) await this.presence.leave(this.id);
  }

  #consumer(leaving: boolean) {
    const { topic, group } = this.subscription;
    return { id: this.id, topic, group, held: [...this.#seats.keys()], leaving };
  }

  #entitled(): number[] {
    const seats = Array.from({ length: this.#count }, (_, seat) => seat);
    if (this.subscription.broadcast) return seats;
    const consumers = this.#consumers().filter(({ leaving }) => !leaving);
    const place = consumers.findIndex(({ id }) => id === this.id);
    return seats.filter((seat) => place >= 0 && seat % consumers.length === place);
  }

  #consumers() {
    return this.presence.consumers(this.subscription.topic, this.subscription.group);
  }

  #heldByOthers(): Set<number> {
    if (this.subscription.broadcast) return new Set();
    return new Set(this.#consumers().flatMap(({ id, held }) => (id === this.id ? [] : held)));
  }

  /** Brings what is held to what ought to be. Called at every change; asks nobody, so it may be called at any time. */
  #arrange(): void {
    if (this.#stopping.signal.aborted || !(this.subscription.broadcast || this.presence.known)) return;
    const [entitled, taken] = [new Set(this.#entitled()), this.#heldByOthers()];
    for (const seat of taken) this.#declared.add(seat);
    for (const [number, seat] of this.#seats)
      if (!entitled.has(number) && !seat.ending.aborted) this.#giveAway(number, seat);
    for (const number of entitled) if (!this.#seats.has(number) && !taken.has(number)) void this.#take(number);
    if (this.#declared.size >= this.#count) this.#declaring?.resolve();
  }

  #giveAway(number: number, seat: MqttSeat): void {
    if (!seat.connected) return; // still connecting: asked again when it is
    const leaving = seat.giveAway().then(() => this.#vacated(number, seat));
    this.#leaving.add(leaving);
    void leaving.then(() => this.#leaving.delete(leaving));
  }

  async #take(number: number): Promise<void> {
    const seat = this.make(number);
    this.#seats.set(number, seat);
    try {
      const { lost } = await seat.open();
      this.#failures.delete(number);
      this.#declared.add(number);
      void lost.then((error) => this.#lost(number, seat, error));
      if (this.#stopping.signal.aborted) return;
      await this.#tell();
      this.#arrange();
    } catch (thrown) {
      const error = asError(thrown);
      if ((this.#failures.get(number) ?? 0) >= START_ATTEMPTS) this.#declaring?.reject(error);
      this.settings.logger.warn({ group: this.subscription.group, seat: number, err: error }, 'a seat was not taken');
      await this.#again(number, seat);
    }
  }

  #lost(number: number, seat: MqttSeat, error: Error): void {
    if (this.#seats.get(number) !== seat || this.#stopping.signal.aborted) return;
    this.settings.logger.debug({ group: this.subscription.group, seat: number, err: error }, 'a seat was lost');
    void this.#again(number, seat);
  }

  /** The pause comes before the seat counts as free: whoever took it over tells of that meanwhile, and two who differ do not chase each other. */
  async #again(number: number, seat: MqttSeat): Promise<void> {
    const failures = (this.#failures.get(number) ?? 0) + 1;
    this.#failures.set(number, failures);
    await this.settings.clock.wait(backoffMs(failures, this.settings.reconnectMaxMs), this.#stopping.signal);
    await this.#vacated(number, seat);
  }

  async #vacated(number: number, seat: MqttSeat): Promise<void> {
    if (this.#seats.get(number) !== seat) return;
    this.#seats.delete(number);
    if (this.#stopping.signal.aborted) return;
    await this.#tell();
    this.#arrange();
  }

  async #tell(): Promise<void> {
    if (!this.subscription.broadcast) await this.presence.update(this.#consumer(this.#stopping.signal.aborted));
  }
}
