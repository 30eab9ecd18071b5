import { css, html, LitElement } from 'lit';
import { asMoney } from '../state/format.js';
import { sharedStyles } from './shared-styles.js';

/** What the open room's streamer has earned, by the ledger. */
class RevenueCard extends LitElement {
  static properties = { streamer: {}, earned: { type: Number }, given: { type: Number } };

  static styles = [
    sharedStyles,
    css`
      section {
        padding: 16px 18px 18px;
      }

      .sum {
        margin-top: 4px;
        font: 400 38px/1.15 var(--serif);
        letter-spacing: -0.01em;
        font-variant-numeric: tabular-nums lining-nums;
      }

      .split {
        display: flex;
        gap: 2px;
        height: 6px;
        margin: 12px 0 8px;
      }

      .split i {
        flex: 0 1 calc(var(--part) * 100%);
        border-radius: 3px;
        background: var(--mint);
        transition: flex-basis 300ms ease-out;
      }

      .split i + i {
        flex: 1;
        background: var(--ink-3);
      }

      p {
        display: flex;
        justify-content: space-between;
        gap: 12px;
        font-size: 13px;
        color: var(--text-2);
      }
    `,
  ];

  render() {
    const { streamer, earned, given } = this;
    const known = earned !== undefined;
    const part = given > 0 ? Math.min(1, (earned ?? 0) / given) : 0;
    return html`<section class="panel" aria-label="Revenue">
      <h2 class="eyebrow cut">${streamer ? `${streamer} has earned` : 'Earned'}</h2>
      <div class="sum">${known ? asMoney(earned) : '–'}</div>
      <div class="split" style="--part:${part}" aria-hidden="true"><i></i><i></i></div>
      <p class="number"><span>streamer’s share</span><span>of ${asMoney(given ?? 0)} given</span></p>
    </section>`;
  }
}

customElements.define('revenue-card', RevenueCard);
