import { css, html, LitElement } from 'lit';
import { asCount, asShortMoney, hueOfRoom } from '../state/format.js';
import { sharedStyles } from './shared-styles.js';

/** The rooms, one of them open. Fires `open-room` with its id. */
class RoomList extends LitElement {
  static properties = { rooms: {}, open: {}, totals: {}, counts: {} };

  static styles = [
    sharedStyles,
    css`
      ul {
        display: grid;
        gap: 8px;
      }

      button {
        display: grid;
        grid-template-columns: 44px minmax(0, 1fr);
        align-items: center;
        gap: 12px;
        width: 100%;
        min-height: 66px;
        padding: 10px 12px 10px 10px;
        text-align: left;
        background: transparent;
        border: 1px solid transparent;
        border-radius: var(--radius);
        transition:
          background var(--quick),
          border-color var(--quick);
      }

      button:hover {
        background: var(--ink-2);
      }

      button[aria-current='true'] {
        background: linear-gradient(90deg, hsl(var(--hue) 60% 50% / 0.2), hsl(var(--hue) 60% 50% / 0.04)), var(--ink-2);
        border-color: hsl(var(--hue) 55% 62% / 0.55);
      }

      .cover {
        width: 44px;
        height: 44px;
        border-radius: 11px;
        background:
          radial-gradient(circle at 30% 25%, hsl(var(--hue) 95% 82%), transparent 55%),
          linear-gradient(150deg, hsl(var(--hue) 70% 56%), hsl(calc(var(--hue) + 70) 60% 34%));
      }

      .title {
        font-weight: 600;
      }

      .line {
        display: flex;
        justify-content: space-between;
        gap: 10px;
        margin-top: 1px;
        font-size: 13px;
        color: var(--text-2);
      }

      .line b {
        font-weight: 550;
        color: var(--text);
      }

      .blank {
        height: 66px;
        border-radius: var(--radius);
        background: var(--ink-1);
        border: 1px solid var(--line);
      }

      @media (max-width: 1099px) {
        ul {
          grid-template-columns: repeat(2, minmax(0, 1fr));
        }

        button {
          border-color: var(--line);
        }
      }

      @media (max-width: 760px) {
        ul {
          display: flex;
          gap: 8px;
          overflow-x: auto;
          scroll-snap-type: x proximity;
          margin: 0 -16px;
          padding: 2px 16px 6px;
          scrollbar-width: none;
        }

        li {
          flex: none;
          width: 236px;
          scroll-snap-align: center;
        }

        button {
          grid-template-columns: 36px minmax(0, 1fr);
          min-height: 58px;
        }

        .cover {
          width: 36px;
          height: 36px;
        }

        .blank {
          height: 58px;
        }
      }
    `,
  ];

  render() {
    const { rooms, open, totals, counts } = this;
    if (!rooms)
      return html`<ul aria-busy="true">
        ${[1, 2, 3, 4].map(() => html`<li><div class="blank"></div></li>`)}
      </ul>`;
    return html`<ul>
      ${rooms.map(
        (room, index) =>
          html`<li>
            <button
              style="--hue:${hueOfRoom(index)}"
              aria-current=${room.roomId === open}
              @click=${() => this.#open(room.roomId)}
            >
              <span class="cover"></span>
              <span class="cut">
                <span class="title">${room.title}</span>
                <span class="line number">
                  <span class="cut">${room.streamerName}</span>
                  <span
                    >${asCount(counts?.[room.roomId] ?? 0)} · <b>${asShortMoney(totals?.[room.roomId] ?? 0)}</b></span
                  >
                </span>
              </span>
            </button>
          </li>`,
      )}
    </ul>`;
  }

  #open(roomId) {
    this.dispatchEvent(new CustomEvent('open-room', { detail: roomId }));
  }
}

customElements.define('room-list', RoomList);
