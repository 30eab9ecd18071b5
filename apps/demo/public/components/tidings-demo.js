import { css, html, LitElement } from 'lit';
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

/** The whole page. The store tells it when to draw; it hands every part what that part shows. */
class TidingsDemo extends LitElement {
  static styles = [
    sharedStyles,
    css`
      :host {
        display: grid;
        grid-template-columns: 292px minmax(0, 1fr) 348px;
        grid-template-rows: auto minmax(0, 1fr);
        gap: var(--gap);
        max-width: 1720px;
        height: 100dvh;
        min-height: 820px;
        margin: 0 auto;
        padding: 18px 24px 24px;
      }

      header {
        grid-column: 1 / -1;
        display: grid;
        grid-template-columns: 292px minmax(0, 1fr);
        align-items: center;
        gap: var(--gap);
      }

      h1 {
        margin: 0;
        font: italic 400 34px/1 var(--serif);
        letter-spacing: -0.015em;
      }

      h1 small {
        display: block;
        margin-top: 7px;
        font: 400 13px/1.3 var(--sans);
        letter-spacing: 0;
        color: var(--text-2);
      }

      .rooms,
      .side {
        display: flex;
        flex-direction: column;
        gap: var(--gap);
        min-height: 0;
      }

      .rooms badge-wall {
        flex: 1;
      }

      .side {
        overflow: hidden auto;
        scrollbar-width: none;
      }

      .side > * {
        flex: none;
      }

      main {
        display: flex;
        flex-direction: column;
        gap: var(--gap);
        min-width: 0;
        min-height: 0;
      }

      .stage {
        position: relative;
        flex: 1;
        display: flex;
        flex-direction: column;
        min-height: 0;
        overflow: hidden;
      }

      .hero {
        position: relative;
        flex: none;
        display: flex;
        flex-direction: column;
        justify-content: space-between;
        height: 190px;
        padding: 24px 28px;
        background:
          linear-gradient(180deg, transparent 30%, var(--ink-1) 100%),
          radial-gradient(80% 130% at 80% 0%, hsl(var(--hue) 75% 62% / 0.5), transparent 70%),
          radial-gradient(60% 120% at 15% 10%, hsl(calc(var(--hue) + 70) 70% 45% / 0.42), transparent 70%);
      }

      .titles {
        display: flex;
        align-items: flex-end;
        justify-content: space-between;
        gap: 24px;
      }

      .titles revenue-card {
        flex: none;
      }

      .hero h2 {
        padding-bottom: 2px;
        font: 400 40px/1.1 var(--serif);
        letter-spacing: -0.02em;
      }

      .hero p {
        margin-top: 6px;
        color: var(--text-2);
      }

      .live {
        display: inline-flex;
        align-items: center;
        gap: 7px;
        align-self: flex-start;
        padding: 3px 11px 3px 9px;
        font-size: 12.5px;
        font-weight: 600;
        background: #0c0d12b3;
        border: 1px solid #ffffff1c;
        border-radius: 99px;
      }

      .live i {
        width: 8px;
        height: 8px;
        border-radius: 50%;
        background: var(--rose);
      }

      .live.on i {
        background: var(--mint);
      }

      gift-feed {
        flex: 1;
      }

      .note {
        position: absolute;
        left: 50%;
        bottom: 14px;
        width: max-content;
        max-width: calc(100% - 32px);
        padding: 7px 15px;
        font-size: 13.5px;
        color: var(--text);
        background: #272a36f2;
        border: 1px solid var(--line-strong);
        border-radius: 99px;
        transform: translateX(-50%);
        z-index: 2;
        transition: opacity var(--quick);
      }

      .note:empty {
        opacity: 0;
      }

      @media (min-width: 1100px) and (max-width: 1279px) {
        :host {
          grid-template-columns: 250px minmax(0, 1fr) 310px;
        }

        header {
          grid-template-columns: 250px minmax(0, 1fr);
        }
      }

      @media (max-width: 1099px) {
        :host {
          grid-template-columns: minmax(0, 1fr) 330px;
          grid-template-rows: auto;
          height: auto;
        }

        header {
          grid-template-columns: minmax(0, 1fr);
        }

        .rooms {
          grid-column: 1 / -1;
        }

        .rooms badge-wall {
          display: none;
        }

        .stage {
          flex: none;
          height: 640px;
        }
      }

      @media (max-width: 760px) {
        :host {
          display: flex;
          flex-direction: column;
          padding: 16px 16px 20px;
        }

        .rooms {
          order: 1;
        }

        main {
          order: 2;
          position: static;
        }

        .side {
          order: 3;
          overflow: visible;
        }

        pipeline-strip {
          order: 4;
        }

        .stage {
          height: 520px;
        }

        .hero {
          height: 190px;
          padding: 16px 18px 12px;
        }

        .titles {
          display: block;
        }

        .hero p {
          margin-top: 0;
        }

        .hero h2 {
          font-size: 30px;
        }

        gift-dock {
          position: sticky;
          bottom: 0;
          z-index: 2;
          margin: 0 -16px;
          padding: 0 16px 12px;
          background: linear-gradient(transparent, var(--ink-0) 40%);
        }
      }
    `,
  ];

  #store = new DemoStore();

  connectedCallback() {
    super.connectedCallback();
    this.#store.addEventListener('change', () => this.requestUpdate());
    this.#store.addEventListener('gift', ({ detail }) => this.#fly(detail));
    this.#store.start();
  }

  render() {
    const store = this.#store;
    const { room, rooms, totals, rush, catalogue } = store;
    const sums = totals['gift-api']?.byRoom;
    const earned = totals['revenue-share']?.byStreamer;
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
          .counts=${totals['gift-api']?.countByRoom}
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
          .ready=${room !== undefined && totals['gift-api'] !== undefined}
          @send-gift=${({ detail }) => store.send(detail.viewerId, detail.gift)}
        ></gift-dock>
      </main>

      <aside class="side" aria-label="What the gifts did">
        <ranking-board .top=${store.top}></ranking-board>
        <rush-panel
          .rush=${rush}
          .turn=${rush.accepted + rush.refused + rush.failed + rush.samples.length}
          .ready=${rooms !== undefined}
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
