import { css, html, LitElement } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { asMoney, asName } from '../state/format.js';
import { sharedStyles } from './shared-styles.js';
import './viewer-face.js';

/** The room's gifts, newest on top, in a box of its own height: an arrival moves nothing outside of it. */
class GiftFeed extends LitElement {
  static properties = { gifts: {}, catalogue: {} };

  static styles = [
    sharedStyles,
    css`
      :host {
        position: relative;
        z-index: 1;
        min-height: 0;
        overflow: hidden;
      }

      ol {
        height: 100%;
        overflow-y: auto;
        scrollbar-width: thin;
        padding: 4px 20px 20px;
        mask-image: linear-gradient(#000 calc(100% - 48px), transparent);
      }

      li {
        display: grid;
        grid-template-columns: 34px 30px minmax(0, 1fr) auto 58px;
        align-items: center;
        gap: 12px;
        height: 50px;
        border-bottom: 1px solid #ffffff0a;
      }

      li.fresh {
        animation: arrive 420ms cubic-bezier(0.2, 0.8, 0.2, 1);
      }

      @keyframes arrive {
        from {
          transform: translate3d(-28px, 0, 0);
          opacity: 0;
          background: #ffcf8a1f;
        }
        to {
          transform: none;
          opacity: 1;
          background: transparent;
        }
      }

      .emoji {
        font: 24px/1 var(--emoji);
        text-align: center;
      }

      .who {
        font-weight: 550;
      }

      .what {
        color: var(--text-2);
      }

      .amount {
        font-weight: 600;
      }

      .ordinal {
        text-align: right;
        font-size: 12.5px;
        color: var(--text-3);
      }

      .empty {
        position: absolute;
        inset: 0;
        display: grid;
        place-content: center;
        gap: 4px;
        padding: 24px;
        text-align: center;
        color: var(--text-2);
      }

      .empty b {
        font: 400 24px/1.25 var(--serif);
        color: var(--text);
      }

      @media (max-width: 760px) {
        ol {
          padding: 4px 14px 16px;
        }

        li {
          grid-template-columns: 30px minmax(0, 1fr) auto;
        }

        viewer-face,
        .ordinal {
          display: none;
        }
      }
    `,
  ];

  render() {
    const { gifts, catalogue = [] } = this;
    if (!gifts) return html`<div class="empty" aria-busy="true"></div>`;
    if (gifts.length === 0) {
      return html`<div class="empty"><b>Quiet in here.</b>Send the first gift from the bar below.</div>`;
    }
    const emoji = new Map(catalogue.map((entry) => [entry.gift, entry.emoji]));
    return html`<ol aria-label="Gifts of this room, newest first">
      ${repeat(
        gifts,
        (gift) => gift.giftId,
        (gift) =>
          html`<li class=${gift.fresh ? 'fresh' : ''}>
            <span class="emoji" aria-hidden="true">${emoji.get(gift.gift) ?? '🎁'}</span>
            <viewer-face .viewer=${gift.viewerId}></viewer-face>
            <span class="cut">
              <span class="who">${asName(gift.viewerId)}</span>
              <span class="what">sent ${gift.quantity > 1 ? `${gift.quantity} × ` : ''}${gift.gift}</span>
            </span>
            <span class="amount number">${asMoney(gift.amountMinor)}</span>
            <span class="ordinal number">#${gift.ordinal}</span>
          </li>`,
      )}
    </ol>`;
  }
}

customElements.define('gift-feed', GiftFeed);
