import { html, LitElement } from 'lit';
import { DemoStore } from '../state/demo.store.js';
import { hueOfRoom } from '../state/format.js';
import { sharedStyles } from './shared-styles.js';
import './badge-wall.js';
import './gift-dock.js';
import './gift-feed.js';
import './gift-sky.js';
import './pipeline-strip.js';
import './ranking-board.js';
import './revenue-card.js';
import './room-list.js';
import './rush-panel.js';
import { layout } from './tidings-demo.styles.js';

/** The whole page. The store tells it when to draw; it hands every part what that part shows. */
class TidingsDemo extends LitElement {
  static styles = [sharedStyles, layout];

  #store = new DemoStore();

  connectedCallback() {
    super.connectedCallback();
    this.#store.addEventListener('change', () => this.requestUpdate());
    this.#store.addEventListener('gift', ({ detail }) => this.#fly(detail));
    this.#store.start();
  }

  render() {
    const store = this.#store;
    const { room, rooms, totals, known, rush, catalogue } = store;
    const ready = room !== undefined && totals['gift-api'] !== undefined;
    const sums = known['gift-api']?.byRoom;
    const earned = known['revenue-share']?.byStreamer;
    return html`
      <header>
        <h1>Tidings<small>One gift, end to end, that survives anything.</small></h1>
        <pipeline-strip
          .totals=${totals}
          .live=${store.live}
          .heard=${store.heard}
          @kill-app=${({ detail }) => store.kill(detail)}
        ></pipeline-strip>
      </header>

      <nav class="rooms" aria-label="Rooms">
        <room-list
          .rooms=${rooms}
          .open=${store.roomId}
          .totals=${sums}
          .counts=${known['gift-api']?.countByRoom}
          @open-room=${({ detail }) => store.open(detail)}
        ></room-list>
        <badge-wall .viewers=${store.viewers}></badge-wall>
      </nav>

      <main>
        <section class="stage panel" aria-label=${room?.title ?? 'Room'}>
          <div class="hero" style="--hue:${hueOfRoom(store.roomIndex)}">
            <span class="live ${store.live ? 'on' : ''}"><i></i>${store.live ? 'Live' : 'Connecting …'}</span>
            <div class="titles">
              <div class="cut">
                <h2 class="cut">${room?.title ?? '\u00a0'}</h2>
                <p class="cut">${room ? `with ${room.streamerName}` : '\u00a0'}</p>
              </div>
              <revenue-card
                .streamer=${room?.streamerName}
                .earned=${earned && room ? (earned[room.streamerId] ?? 0) : undefined}
                .given=${room ? (sums?.[room.roomId] ?? 0) : 0}
              ></revenue-card>
            </div>
          </div>
          <gift-sky></gift-sky>
          <gift-feed .gifts=${store.feed} .catalogue=${catalogue}></gift-feed>
          <div class="note" role="status">${store.note}</div>
        </section>
        <gift-dock
          .catalogue=${catalogue}
          .ready=${ready}
          @send-gift=${({ detail }) => store.send(detail.viewerId, detail.gift)}
        ></gift-dock>
      </main>

      <aside class="side" aria-label="What the gifts did">
        <ranking-board .top=${store.top}></ranking-board>
        <rush-panel
          .rush=${rush}
          .turn=${rush.accepted + rush.refused + rush.failed + rush.samples.length}
          .ready=${ready}
          @start-rush=${({ detail }) => store.startRush(detail)}
        ></rush-panel>
      </aside>
    `;
  }

  updated() {
    // The rush changes inside its object, which a property cannot see.
    this.renderRoot.querySelector('rush-panel')?.requestUpdate();
  }

  #fly({ gift }) {
    const { catalogue } = this.#store;
    const place = catalogue.findIndex((entry) => entry.gift === gift);
    const weight = place < 0 ? 0 : place / Math.max(1, catalogue.length - 1);
    this.renderRoot.querySelector('gift-sky')?.show(catalogue[place]?.emoji ?? '🎁', weight);
  }
}

customElements.define('tidings-demo', TidingsDemo);
