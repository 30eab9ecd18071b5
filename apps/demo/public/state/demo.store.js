import { io } from 'socket.io-client';
import * as apps from './apps.client.js';
import { asName } from './format.js';
import { Rush } from './rush.js';

const FEED = 40;
const TOTALS_EVERY_MS = 1_000;
const CALM_MS = 120;
const NOTE_MS = 4_000;
const READERS = ['ranking', 'revenue-share', 'badges'];

/**
 * Everything the page shows. `change` is dispatched at most once a frame, however many gifts arrive in it; `gift` for each gift of the open room.
 */
export class DemoStore extends EventTarget {
  /** undefined: not loaded yet. */
  rooms;
  catalogue = [];
  roomId;
  feed;
  top;
  viewers;
  /** By app: { gifts, amountMinor, byRoom, byStreamer } or undefined while it is away. */
  totals = {};
  /** The same, as last heard: an app that is away takes no sum back. */
  known = {};
  live = false;
  heard = 0;
  rush = new Rush(() => this.#changed());
  note = '';

  #socket = io({ transports: ['websocket'], autoConnect: false, reconnectionDelayMax: 2_000 });
  #drawing = false;
  #heardAt = 0;
  #silence;

  start() {
    this.#socket.on('connect', () => {
      this.live = true;
      if (this.roomId) void this.#enter();
      this.#changed();
    });
    this.#socket.on('disconnect', () => {
      this.live = false;
      this.#changed();
    });
    this.#socket.on('gift', (gift) => this.#onGift(gift));
    this.#socket.on('ranking', (ranking) => {
      if (ranking.roomId === this.roomId) this.top = ranking.top;
      this.#changed();
    });
    this.#socket.on('badge', (badge) => this.#onBadge(badge));
    this.#socket.connect();
    void this.#begin();
    void this.#keepTotals();
  }

  get roomIndex() {
    return Math.max(0, this.rooms?.findIndex((room) => room.roomId === this.roomId) ?? 0);
  }

  /** The open room. */
  get room() {
    return this.rooms?.find((room) => room.roomId === this.roomId);
  }

  open(roomId) {
    if (roomId === this.roomId) return;
    if (this.roomId) this.#socket.emit('leave', { roomId: this.roomId });
    this.roomId = roomId;
    this.feed = undefined;
    this.top = undefined;
    this.#changed();
    void this.#enter();
  }

  async send(viewerId, gift) {
    try {
      await apps.sendGift({ roomId: this.roomId, viewerId, gift, quantity: 1 });
      this.#say('');
    } catch (error) {
      this.#say(error.status === 503 ? 'Too many gifts are waiting: try again in a second.' : error.message);
    }
  }

  async startRush(count) {
    try {
      await this.rush.start(count);
    } catch (error) {
      this.#say(error.message);
    }
  }

  async kill(app) {
    try {
      await apps.killApp(app);
      this.#say(`${app} was killed. What it had not settled is delivered again.`);
    } catch (error) {
      this.#say(error.message);
    }
  }

  async #begin() {
    for (;;) {
      try {
        [this.rooms, this.catalogue] = await Promise.all([apps.rooms(), apps.catalogue()]);
        this.open(this.rooms.find((room) => `#${room.roomId}` === location.hash)?.roomId ?? this.rooms[0]?.roomId);
        return;
      } catch {
        await pause(1_000); // gift-api is being started
      }
    }
  }

  /** What happened before we came; from then on the socket tells. */
  async #enter() {
    const { roomId } = this;
    this.#socket.emit('join', { roomId });
    history.replaceState(null, '', `#${roomId}`);
    const [gifts, ranking, viewers] = await Promise.allSettled([
      apps.newestGifts(roomId, FEED),
      apps.ranking(roomId),
      apps.badges(24),
    ]);
    if (roomId !== this.roomId) return;
    const heard = this.feed ?? [];
    const older = gifts.value?.gifts ?? [];
    this.feed = merged(heard, older);
    if (ranking.value && !this.top) this.top = ranking.value.top;
    if (viewers.value) this.viewers = viewers.value;
    this.#changed();
  }

  #onGift(gift) {
    this.heard += 1;
    if (gift.roomId !== this.roomId) return;
    // In a burst rows would arrive faster than they fly in: then they just stand there.
    const now = performance.now();
    const fresh = now - this.#heardAt > CALM_MS;
    this.#heardAt = now;
    this.feed = merged([{ ...gift, fresh }], this.feed ?? []);
    this.dispatchEvent(new CustomEvent('gift', { detail: gift }));
    this.#changed();
  }

  #onBadge(badge) {
    this.#say(`${asName(badge.viewerId)} is now ${badge.badge}.`);
    void this.#refreshViewers();
  }

  async #refreshViewers() {
    try {
      this.viewers = await apps.badges(24);
      this.#changed();
    } catch {
      // badges is away; the next badge or room asks again
    }
  }

  async #keepTotals() {
    for (;;) {
      const before = JSON.stringify(this.totals);
      // gift-api last: then no reader can seem to be ahead of it.
      const readers = await Promise.all(READERS.map(sumsOf));
      this.totals = Object.fromEntries([...readers, await sumsOf('gift-api')]);
      for (const [app, sums] of Object.entries(this.totals)) this.known[app] = sums ?? this.known[app];
      if (JSON.stringify(this.totals) !== before) {
        this.#changed();
        if (this.rooms) void this.#refreshViewers();
      }
      await pause(document.hidden ? 5_000 : TOTALS_EVERY_MS);
    }
  }

  /** Gone by itself after a while: what it told is history then. */
  #say(note) {
    clearTimeout(this.#silence);
    this.note = note;
    if (note) this.#silence = setTimeout(() => this.#say(''), NOTE_MS);
    this.#changed();
  }

  #changed() {
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      this.dispatchEvent(new Event('change'));
    });
  }
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The app and its sums, undefined when it is away. */
const sumsOf = async (app) => {
  try {
    return [app, summed(app, await apps.totals(app))];
  } catch {
    return [app, undefined];
  }
};

/** Newest first, each gift once. */
function merged(newer, older) {
  const known = new Set(newer.map((gift) => gift.giftId));
  return [...newer, ...older.filter((gift) => !known.has(gift.giftId))]
    .sort((a, b) => b.ordinal - a.ordinal)
    .slice(0, FEED);
}

/** An app's sums, in the form that all four can be compared by. */
function summed(app, { totals, gifts, amountMinor, entries }) {
  const by = (name, pick = (row) => row.amountMinor) => {
    const sums = {};
    for (const row of totals) sums[row[name]] = (sums[row[name]] ?? 0) + pick(row);
    return sums;
  };
  switch (app) {
    case 'gift-api':
      return { gifts, amountMinor, byRoom: by('roomId'), countByRoom: by('roomId', (row) => row.gifts) };
    case 'revenue-share':
      return {
        gifts: entries / 2,
        amountMinor,
        byStreamer: by('streamerId', (row) => (row.account === 'streamer' ? row.amountMinor : 0)),
      };
    default:
      return { gifts, amountMinor };
  }
}
