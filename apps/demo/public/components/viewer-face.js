import { css, html, LitElement } from 'lit';
import { hueOf, initialsOf } from '../state/format.js';
import { sharedStyles } from './shared-styles.js';

/** A viewer as a coloured circle; with `progress`, a ring shows how far it is to the next badge. */
class ViewerFace extends LitElement {
  static properties = { viewer: {}, progress: { type: Number } };

  static styles = [
    sharedStyles,
    css`
      :host {
        --size: 30px;
        flex: none;
        width: var(--size);
        height: var(--size);
      }

      span {
        display: grid;
        place-items: center;
        width: 100%;
        height: 100%;
        border-radius: 50%;
        font-size: calc(var(--size) * 0.36);
        font-weight: 650;
        letter-spacing: -0.01em;
        color: #0d0e13;
        background: linear-gradient(140deg, hsl(var(--hue) 85% 80%), hsl(calc(var(--hue) + 35) 70% 64%));
      }

      .ring {
        padding: 3px;
        background: conic-gradient(var(--badge, var(--text-3)) calc(var(--part) * 1turn), var(--ink-3) 0);
      }

      .ring span {
        border: 2px solid var(--ink-1);
      }
    `,
  ];

  render() {
    const { viewer = '', progress } = this;
    const face = html`<span aria-hidden="true" style="--hue:${hueOf(viewer)}">${initialsOf(viewer)}</span>`;
    return progress === undefined ? face : html`<span class="ring" style="--part:${progress}">${face}</span>`;
  }
}

customElements.define('viewer-face', ViewerFace);
