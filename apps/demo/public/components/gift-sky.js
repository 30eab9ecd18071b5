import { css, html, LitElement } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { sharedStyles } from './shared-styles.js';

/** More at once would be a blur, and cost frames. */
const MOST = 26;

/** Gifts that fly: `show` lets one rise through the room. Only transform and opacity move, so nothing else is laid out again. */
class GiftSky extends LitElement {
  static properties = { flying: { state: true } };

  static styles = [
    sharedStyles,
    css`
      :host {
        position: absolute;
        inset: 0;
        overflow: hidden;
        pointer-events: none;
        border-radius: inherit;
        container-type: size;
      }

      span {
        position: absolute;
        bottom: -70px;
        left: var(--left);
        font-family: var(--emoji);
        font-size: var(--size);
        line-height: 1;
        filter: drop-shadow(0 6px 18px #0009);
        animation: rise var(--for) cubic-bezier(0.22, 0.65, 0.4, 1) forwards;
        will-change: transform, opacity;
      }

      @keyframes rise {
        0% {
          transform: translate3d(0, 0, 0) scale(0.5) rotate(var(--tilt));
          opacity: 0;
        }
        14% {
          opacity: 1;
        }
        62% {
          opacity: 1;
        }
        100% {
          transform: translate3d(var(--drift), calc(-100cqh - 10px), 0) scale(1.06) rotate(calc(var(--tilt) * -1));
          opacity: 0;
        }
      }

      @media (prefers-reduced-motion: reduce) {
        :host {
          display: none;
        }
      }
    `,
  ];

  #next = 0;

  constructor() {
    super();
    this.flying = [];
  }

  /** `weight` from 0 (cheap) to 1 (dear) makes it larger and slower. */
  show(emoji, weight) {
    if (this.flying.length >= MOST || document.hidden) return;
    const between = (from, to) => from + Math.random() * (to - from);
    const look = {
      left: `${between(44, 76)}%`, // between the names and the amounts of the list
      size: `${28 + weight * 46}px`,
      for: `${between(2.3, 3.1) + weight}s`,
      drift: `${between(-50, 50)}px`,
      tilt: `${between(-16, 16)}deg`,
    };
    const style = Object.entries(look).map(([name, value]) => `--${name}:${value}`);
    this.flying = [...this.flying, { id: this.#next++, emoji, style: style.join(';') }];
  }

  render() {
    return html`<div aria-hidden="true">
      ${repeat(
        this.flying,
        (one) => one.id,
        (one) => html`<span style=${one.style} @animationend=${() => this.#gone(one.id)}>${one.emoji}</span>`,
      )}
    </div>`;
  }

  #gone(id) {
    this.flying = this.flying.filter((one) => one.id !== id);
  }
}

customElements.define('gift-sky', GiftSky);
