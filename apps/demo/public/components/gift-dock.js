import { css, html, LitElement } from 'lit';
import { asMoney } from '../state/format.js';
import { sharedStyles } from './shared-styles.js';

const VIEWERS = ['Ada', 'Bilal', 'Chidi', 'Dana', 'Emre', 'Fatou', 'Hana', 'Jun'];

/** Who gives, and what. Fires `send-gift` with { viewerId, gift }. */
class GiftDock extends LitElement {
  static properties = { catalogue: {}, ready: { type: Boolean }, viewer: { state: true }, note: {} };

  static styles = [
    sharedStyles,
    css`
      :host {
        container-type: inline-size;
      }

      form {
        display: flex;
        align-items: stretch;
        gap: 10px;
        padding: 12px;
      }

      label {
        display: flex;
        flex-direction: column;
        justify-content: center;
        flex: none;
        padding: 0 6px 0 6px;
      }

      select {
        margin-top: 3px;
        padding: 6px 28px 6px 10px;
        font-weight: 600;
        background: var(--ink-2)
          url("data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 12 8' fill='none' stroke='%23b6b4bf' stroke-width='1.800'%3E%3Cpath d='m1.500 1.500 4.500 4.500 4.500-4.500'/%3E%3C/svg%3E")
          no-repeat right 10px center / 11px;
        border: 1px solid var(--line-strong);
        border-radius: var(--radius-small);
        appearance: none;
      }

      .gifts {
        display: grid;
        grid-template-columns: repeat(6, minmax(0, 1fr));
        gap: 8px;
        flex: 1;
        min-height: 72px;
      }

      .gifts button {
        display: grid;
        justify-items: center;
        align-content: center;
        gap: 3px;
        padding: 8px 4px;
        background: var(--ink-2);
        border: 1px solid transparent;
        border-radius: 11px;
        transition:
          background var(--quick),
          transform var(--quick),
          border-color var(--quick);
      }

      .gifts button:hover:not(:disabled) {
        background: var(--ink-3);
        border-color: var(--line-strong);
      }

      .gifts button:active:not(:disabled) {
        transform: scale(0.95);
      }

      .gifts button:disabled {
        opacity: 0.45;
      }

      .emoji {
        font: 26px/1 var(--emoji);
      }

      .price {
        font-size: 12.5px;
        color: var(--text-2);
      }

      @container (max-width: 560px) {
        form {
          flex-direction: column;
        }

        label {
          flex-direction: row;
          align-items: center;
          justify-content: space-between;
        }

        select {
          margin: 0;
        }

        .gifts {
          gap: 6px;
          min-height: 62px;
        }

        .emoji {
          font-size: 23px;
        }

        .price {
          font-size: 11.5px;
        }
      }
    `,
  ];

  constructor() {
    super();
    this.viewer = sessionStorage.getItem('viewer') ?? VIEWERS[0];
  }

  render() {
    const { catalogue = [], ready, viewer } = this;
    return html`<form class="panel" @submit=${(event) => event.preventDefault()} aria-label="Send a gift">
      <label>
        <span class="eyebrow">Send as</span>
        <select @change=${(event) => this.#choose(event.target.value)}>
          ${VIEWERS.map((name) => html`<option ?selected=${name === viewer}>${name}</option>`)}
        </select>
      </label>
      <div class="gifts">
        ${catalogue.map(
          ({ gift, emoji, priceMinor }) =>
            html`<button
              type="button"
              ?disabled=${!ready}
              aria-label="${gift}, ${asMoney(priceMinor)}"
              @click=${() => this.#send(gift)}
            >
              <span class="emoji" aria-hidden="true">${emoji}</span>
              <span class="price number" aria-hidden="true">${asMoney(priceMinor)}</span>
            </button>`,
        )}
      </div>
    </form>`;
  }

  #choose(viewer) {
    this.viewer = viewer;
    sessionStorage.setItem('viewer', viewer);
  }

  #send(gift) {
    this.dispatchEvent(new CustomEvent('send-gift', { detail: { viewerId: this.viewer.toLowerCase(), gift } }));
  }
}

customElements.define('gift-dock', GiftDock);
