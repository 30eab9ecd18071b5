import { css, html, LitElement } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { asName, asShortMoney } from '../state/format.js';
import { sharedStyles } from './shared-styles.js';
import './viewer-face.js';

const COLOURS = {
  none: 'var(--text-3)',
  bronze: '#d99a6c',
  silver: '#c9d2de',
  gold: '#ffcf5c',
  platinum: '#9fe6e0',
  diamond: '#a9b8ff',
};

/** The viewers of all rooms and their badges; the ring fills up to the next level. */
class BadgeWall extends LitElement {
  static properties = { viewers: {} };

  static styles = [
    sharedStyles,
    css`
      :host {
        min-height: 0;
      }

      section {
        display: flex;
        flex-direction: column;
        height: 100%;
        min-height: 220px;
        padding: 16px 6px 0 18px;
      }

      ul {
        flex: 1;
        min-height: 0;
        margin-top: 8px;
        padding: 0 12px 12px 0;
        overflow-y: auto;
        scrollbar-width: thin;
        mask-image: linear-gradient(#000 calc(100% - 36px), transparent);
      }

      li {
        display: grid;
        grid-template-columns: 40px minmax(0, 1fr) auto;
        align-items: center;
        gap: 11px;
        height: 52px;
      }

      viewer-face {
        --size: 40px;
      }

      .who {
        font-size: 14px;
        font-weight: 550;
      }

      .next {
        font-size: 12.5px;
        color: var(--text-3);
      }

      .badge {
        padding: 2px 9px;
        font-size: 12px;
        font-weight: 600;
        color: var(--badge);
        background: color-mix(in srgb, var(--badge) 13%, transparent);
        border: 1px solid color-mix(in srgb, var(--badge) 38%, transparent);
        border-radius: 99px;
      }

      .empty {
        flex: 1;
        display: grid;
        place-content: center;
        padding: 0 24px 20px 12px;
        text-align: center;
        font-size: 14px;
        color: var(--text-2);
      }

      @media (max-width: 1099px) {
        section {
          max-height: 330px;
        }
      }
    `,
  ];

  render() {
    const { viewers } = this;
    return html`<section class="panel" aria-label="Badges">
      <h2 class="eyebrow">Badges</h2>
      ${
        viewers?.length === 0
          ? html`<p class="empty">The first badge, bronze, comes with €5.00 of gifts.</p>`
          : html`<ul aria-busy=${!viewers}>
              ${repeat(
                viewers ?? [],
                (viewer) => viewer.viewerId,
                (viewer) => this.#viewer(viewer),
              )}
            </ul>`
      }
    </section>`;
  }

  #viewer({ viewerId, amountMinor, toNextMinor, level, badge }) {
    const part = toNextMinor === null ? 1 : amountMinor / (amountMinor + toNextMinor);
    return html`<li style="--badge:${COLOURS[badge] ?? 'var(--gold)'}">
      <viewer-face .viewer=${viewerId} .progress=${part}></viewer-face>
      <span class="cut">
        <span class="who">${asName(viewerId)}</span><br />
        <span class="next number"
          >${toNextMinor === null ? 'highest level' : `${asShortMoney(toNextMinor)} to next`}</span
        >
      </span>
      ${level > 0 ? html`<span class="badge">${badge}</span>` : ''}
    </li>`;
  }
}

customElements.define('badge-wall', BadgeWall);
