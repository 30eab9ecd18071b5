import { css, html, LitElement } from 'lit';
import { asCount, asMoney } from '../state/format.js';
import { sharedStyles } from './shared-styles.js';

const READERS = ['ranking', 'revenue-share', 'badges'];

/** The proof at a glance: what gift-api took, and how far each reader is with it. Fires `kill-app` with an app's name. */
class PipelineStrip extends LitElement {
  static properties = { totals: {}, live: { type: Boolean }, heard: { type: Number } };

  static styles = [
    sharedStyles,
    css`
      :host {
        min-width: 0;
      }

      ol {
        display: grid;
        grid-template-columns: minmax(150px, 1.1fr) 34px repeat(4, minmax(0, 1fr));
        overflow: hidden;
      }

      li {
        position: relative;
        min-width: 0;
        min-height: 76px;
        padding: 12px 16px;
      }

      li + li:not(.arrow):not(.first) {
        border-left: 1px solid var(--line);
      }

      .arrow {
        display: grid;
        place-items: center;
        padding: 0;
        color: var(--coral);
      }

      .arrow svg {
        width: 26px;
      }

      .name {
        display: flex;
        align-items: center;
        gap: 7px;
        font-size: 13px;
        color: var(--text-2);
      }

      .dot {
        flex: none;
        width: 8px;
        height: 8px;
        border-radius: 50%;
        background: var(--mint);
        box-shadow: 0 0 0 3px #63e0b522;
      }

      .dot.behind {
        background: var(--gold);
        box-shadow: 0 0 0 3px #ffcf8a22;
      }

      .dot.away {
        background: var(--rose);
        box-shadow: 0 0 0 3px #ff7d8e22;
      }

      .count {
        margin-top: 2px;
        font-size: 19px;
        font-weight: 620;
        letter-spacing: -0.015em;
        white-space: nowrap;
      }

      .count small {
        font-size: 12.5px;
        font-weight: 450;
        letter-spacing: 0;
        color: var(--text-3);
      }

      .count small.behind {
        color: var(--gold);
      }

      .count small.away {
        color: var(--rose);
      }

      .count small.equal {
        color: var(--mint);
      }

      .kill {
        position: absolute;
        top: 9px;
        right: 9px;
        padding: 2px 7px;
        font: 500 11px/1.5 var(--mono);
        color: var(--text-3);
        background: transparent;
        border: 1px solid transparent;
        border-radius: 6px;
        transition:
          color var(--quick),
          border-color var(--quick);
      }

      li:hover .kill,
      .kill:focus-visible {
        border-color: var(--line-strong);
      }

      .kill:hover {
        color: var(--rose);
        border-color: var(--rose);
      }

      @media (max-width: 1099px) {
        ol {
          grid-template-columns: repeat(2, minmax(0, 1fr));
        }

        .arrow {
          display: none;
        }

        li {
          min-height: 68px;
          border-top: 1px solid var(--line);
        }

        .first {
          grid-column: 1 / -1;
          border-top: 0;
        }

        li:nth-child(odd) {
          border-left: 0 !important;
        }

        .kill span {
          display: none;
        }
      }

      @media (hover: none) {
        .kill {
          border-color: var(--line);
        }
      }
    `,
  ];

  render() {
    const { totals = {}, live, heard } = this;
    const sent = totals['gift-api'];
    return html`<ol class="panel" aria-label="The pipeline">
      <li class="first">
        <div class="name"><i class="dot ${sent ? '' : 'away'}"></i>gift-api</div>
        <div class="count number">
          ${sent ? asCount(sent.gifts) : '–'}
          <small class=${sent ? '' : 'away'}>${sent ? `gifts · ${asMoney(sent.amountMinor)}` : 'away'}</small>
        </div>
        ${this.#kill('gift-api')}
      </li>
      <li class="arrow" aria-hidden="true">
        <svg
          viewBox="0 0 26 16"
          fill="none"
          stroke="currentColor"
          stroke-width="2"
          stroke-linecap="round"
          stroke-linejoin="round"
        >
          <path d="M1 8h22M17 2l6 6-6 6" />
        </svg>
      </li>
      ${READERS.map((app) => this.#reader(app, totals[app], sent))}
      <li>
        <div class="name"><i class="dot ${live ? '' : 'away'}"></i>room-gateway</div>
        <div class="count number">
          ${asCount(heard ?? 0)}
          <small class=${live ? '' : 'away'}>${live ? 'heard live' : 'reconnecting'}</small>
        </div>
        ${this.#kill('room-gateway')}
      </li>
    </ol>`;
  }

  #reader(app, total, sent) {
    const missing = total && sent ? sent.gifts - total.gifts : 0;
    const state = !total ? 'away' : missing > 0 ? 'behind' : '';
    const equal = total && sent && missing === 0 && total.amountMinor === sent.amountMinor;
    const told = !total ? 'away' : missing > 0 ? `${asCount(missing)} to go` : equal ? '✓ equal' : '';
    return html`<li>
      <div class="name"><i class="dot ${state}"></i>${app}</div>
      <div class="count number">
        ${total ? asCount(total.gifts) : '–'} <small class=${state || (equal ? 'equal' : '')}>${told}</small>
      </div>
      ${this.#kill(app)}
    </li>`;
  }

  #kill(app) {
    return html`<button
      class="kill"
      title="SIGKILL ${app}: it is started again, and nothing is lost or doubled"
      aria-label="Kill ${app}"
      @click=${() => this.dispatchEvent(new CustomEvent('kill-app', { detail: app }))}
    >
      kill<span> -9</span>
    </button>`;
  }
}

customElements.define('pipeline-strip', PipelineStrip);
