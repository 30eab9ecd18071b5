import { css, html, LitElement } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { asName, asShortMoney } from '../state/format.js';
import { sharedStyles } from './shared-styles.js';
import './viewer-face.js';

const PLACES = 10;
const HEIGHT = 34;

/** The room's top ten. Rows keep their element and slide to their new place. */
class RankingBoard extends LitElement {
  static properties = { top: {} };

  static styles = [
    sharedStyles,
    css`
      section {
        position: relative;
        padding: 16px 18px 12px;
      }

      ol {
        position: relative;
        height: ${PLACES * HEIGHT}px;
        margin-top: 8px;
      }

      li {
        position: absolute;
        inset: 0 0 auto;
        display: grid;
        grid-template-columns: 18px 26px minmax(0, 1fr) auto;
        align-items: center;
        gap: 10px;
        height: ${HEIGHT}px;
        transform: translateY(calc(var(--place) * ${HEIGHT}px));
        transition: transform 420ms cubic-bezier(0.3, 1.1, 0.3, 1);
      }

      viewer-face {
        --size: 25px;
      }

      .place {
        font-size: 13px;
        color: var(--text-3);
        text-align: right;
      }

      li.first .place,
      li.first .sum {
        color: var(--gold);
      }

      .bar {
        position: relative;
        min-width: 0;
        padding-bottom: 5px;
        font-size: 14px;
        font-weight: 520;
      }

      .bar::after {
        content: '';
        position: absolute;
        left: 0;
        right: 0;
        bottom: 0;
        height: 3px;
        border-radius: 2px;
        background: linear-gradient(90deg, var(--coral), var(--gold));
        transform: scaleX(var(--part));
        transform-origin: left;
        transition: transform 420ms ease-out;
      }

      .sum {
        font-size: 13.5px;
        font-weight: 600;
      }

      .empty {
        position: absolute;
        inset: 0;
        display: grid;
        place-content: center;
        text-align: center;
        color: var(--text-2);
        font-size: 14px;
      }
    `,
  ];

  render() {
    const { top } = this;
    const most = Math.max(1, top?.[0]?.amountMinor ?? 1);
    return html`<section class="panel" aria-label="Ranking">
      <h2 class="eyebrow">Top of the room</h2>
      <ol aria-busy=${!top}>
        ${repeat(
          top ?? [],
          (one) => one.viewerId,
          (one, place) =>
            html`<li class=${place === 0 ? 'first' : ''} style="--place:${place}">
              <span class="place number">${place + 1}</span>
              <viewer-face .viewer=${one.viewerId}></viewer-face>
              <span class="bar" style="--part:${one.amountMinor / most}"
                ><span class="cut" style="display:block">${asName(one.viewerId)}</span></span
              >
              <span class="sum number">${asShortMoney(one.amountMinor)}</span>
            </li>`,
        )}
      </ol>
      ${top?.length === 0 ? html`<p class="empty">Nobody yet. The first place is free.</p>` : ''}
    </section>`;
  }
}

customElements.define('ranking-board', RankingBoard);
