import { css, html, LitElement } from 'lit';
import { asMoney } from '../state/format.js';
import { sharedStyles } from './shared-styles.js';

/** What the open room's streamer has earned, by the ledger; beside the room's title. */
class RevenueCard extends LitElement {
  static properties = { streamer: {}, earned: { type: Number }, given: { type: Number } };

  static styles = [
    sharedStyles,
    css`
      section {
        text-align: right;
      }

      h2 {
        color: var(--text-2);
      }

      .sum {
        margin-top: 3px;
        font: 400 40px/1.1 var(--serif);
        letter-spacing: -0.02em;
        font-variant-numeric: tabular-nums lining-nums;
      }

      p {
        margin-top: 6px;
        font-size: 14px;
        color: var(--text-2);
        white-space: nowrap;
      }

      @media (max-width: 760px) {
        section {
          display: flex;
          align-items: baseline;
          gap: 10px;
          text-align: left;
        }

        h2 {
          display: none;
        }

        .sum {
          font-size: 26px;
        }
      }
    `,
  ];

  render() {
    const { streamer, earned, given } = this;
    return html`<section aria-label="Revenue">
      <h2 class="eyebrow cut">${streamer ? `${streamer} has earned` : '\u00a0'}</h2>
      <div class="sum">${earned === undefined ? '–' : asMoney(earned)}</div>
      <p class="number">share of ${asMoney(given ?? 0)} given</p>
    </section>`;
  }
}

customElements.define('revenue-card', RevenueCard);
