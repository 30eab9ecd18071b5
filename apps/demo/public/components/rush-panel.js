import { css, html, LitElement, svg } from 'lit';
import { asCount } from '../state/format.js';
import { sharedStyles } from './shared-styles.js';

const [WIDTH, HEIGHT, SAMPLES] = [320, 84, 120];

/** A rush: what was taken, what was refused, and the backlog as it shrinks. Fires `start-rush` with a count. */
class RushPanel extends LitElement {
  static properties = { rush: {}, turn: { type: Number }, ready: { type: Boolean } };

  static styles = [
    sharedStyles,
    css`
      :host {
        flex: 1 0 auto !important;
        min-height: 262px;
      }

      section {
        display: flex;
        flex-direction: column;
        height: 100%;
        padding: 16px 18px 14px;
      }

      header {
        display: flex;
        align-items: center;
        justify-content: space-between;
        gap: 12px;
      }

      button {
        padding: 7px 14px;
        font-size: 13.5px;
        font-weight: 650;
        color: #1d0f08;
        background: linear-gradient(180deg, #ffa37d, var(--coral));
        border: 0;
        border-radius: 99px;
        transition: filter var(--quick);
      }

      button:hover:not(:disabled) {
        filter: brightness(1.08);
      }

      button:disabled {
        color: var(--text-3);
        background: var(--ink-3);
      }

      svg {
        display: block;
        width: 100%;
        flex: 1;
        min-height: ${HEIGHT}px;
        margin: 12px 0 10px;
        border-radius: var(--radius-small);
        background: var(--ink-0);
      }

      .area {
        fill: #8fb8ff2b;
      }

      .curve {
        fill: none;
        stroke: var(--sky);
        stroke-width: 1.8;
        vector-effect: non-scaling-stroke;
      }

      .limit {
        stroke: var(--rose);
        stroke-width: 1;
        stroke-dasharray: 3 4;
        vector-effect: non-scaling-stroke;
        opacity: 0.75;
      }

      dl {
        display: grid;
        grid-template-columns: repeat(3, 1fr);
      }

      dl div + div {
        padding-left: 14px;
        border-left: 1px solid var(--line);
      }

      dt {
        font-size: 12px;
        color: var(--text-3);
      }

      dd {
        font-size: 19px;
        font-weight: 620;
        letter-spacing: -0.015em;
      }

      .accepted {
        color: var(--mint);
      }

      .refused {
        color: var(--rose);
      }

      .backlog {
        color: var(--sky);
      }

      p {
        margin-top: 10px;
        min-height: 34px;
        font-size: 12.5px;
        line-height: 1.4;
        color: var(--text-2);
      }
    `,
  ];

  render() {
    const { rush, ready } = this;
    return html`<section class="panel" aria-label="Rush">
      <header>
        <h2 class="eyebrow">Contest rush</h2>
        <button
          ?disabled=${rush.running || !ready}
          @click=${() => this.dispatchEvent(new CustomEvent('start-rush', { detail: 600 }))}
        >
          ${rush.running ? 'Rushing …' : 'Send 600'}
        </button>
      </header>
      ${this.#chart()}
      <dl>
        <div>
          <dt>accepted</dt>
          <dd class="number ${rush.accepted ? 'accepted' : ''}">${asCount(rush.accepted)}</dd>
        </div>
        <div>
          <dt>refused · 503</dt>
          <dd class="number ${rush.refused ? 'refused' : ''}">${asCount(rush.refused)}</dd>
        </div>
        <div>
          <dt>backlog</dt>
          <dd class="number ${rush.backlog ? 'backlog' : ''}">${asCount(rush.backlog)}</dd>
        </div>
      </dl>
      <p>${this.#story()}</p>
    </section>`;
  }

  #story() {
    const { running, begun, backlog, failed, limit, peak } = this.rush;
    if (!begun)
      return 'Requests are only enqueued; a consumer writes the gifts. Past the limit the API answers 503 at once.';
    if (failed > 0)
      return `${asCount(failed)} requests got no answer: their senders would try again with the same key.`;
    if (running) return `The dashed line is the limit of ${asCount(limit ?? 0)} waiting messages.`;
    if (backlog > 0) return 'All sent. The consumers work the backlog off.';
    return `Done: every accepted gift is written. The backlog's peak was ${asCount(peak)}.`;
  }

  #chart() {
    const { samples, limit, peak } = this.rush;
    const top = Math.max(peak, limit ?? 0, 10) * 1.15;
    const x = (index) => WIDTH - (samples.length - 1 - index) * (WIDTH / (SAMPLES - 1));
    const y = (value) => HEIGHT - 3 - (value / top) * (HEIGHT - 8);
    const points = samples.flatMap((value, index) =>
      value === null ? [] : [`${x(index).toFixed(1)},${y(value).toFixed(1)}`],
    );
    const first = points[0]?.split(',')[0];
    return html`<svg
      viewBox="0 0 ${WIDTH} ${HEIGHT}"
      preserveAspectRatio="none"
      role="img"
      aria-label="Backlog over the last seconds"
    >
      ${limit === undefined ? '' : svg`<line class="limit" x1="0" x2=${WIDTH} y1=${y(limit)} y2=${y(limit)} />`}
      ${
        points.length < 2
          ? ''
          : svg`<polygon class="area" points="${first},${HEIGHT} ${points.join(' ')} ${WIDTH},${HEIGHT}" />
              <polyline class="curve" points=${points.join(' ')} />`
      }
    </svg>`;
  }
}

customElements.define('rush-panel', RushPanel);
