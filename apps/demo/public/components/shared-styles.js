import { css } from 'lit';

/** What every component's shadow root begins with. */
export const sharedStyles = css`
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }

  :host {
    display: block;
  }

  :host([hidden]) {
    display: none;
  }

  h2,
  h3,
  p,
  ol,
  ul,
  dl,
  dd {
    margin: 0;
    padding: 0;
    list-style: none;
  }

  button,
  select {
    font: inherit;
    color: inherit;
  }

  button {
    cursor: pointer;
  }

  button:disabled {
    cursor: default;
  }

  :focus-visible {
    outline: 2px solid var(--gold);
    outline-offset: 2px;
  }

  .panel {
    background: linear-gradient(180deg, #ffffff07, #ffffff02), var(--ink-1);
    border: 1px solid var(--line);
    border-radius: var(--radius);
  }

  .eyebrow {
    font-size: 11.5px;
    font-weight: 600;
    letter-spacing: 0.09em;
    text-transform: uppercase;
    color: var(--text-3);
  }

  .number {
    font-variant-numeric: tabular-nums;
  }

  .cut {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }

  .unseen {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }

  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      animation: none !important;
      transition: none !important;
    }
  }
`;
