import { css } from 'lit';

/** Where everything stands: three columns on a stage's screen, two on a tablet, one on a phone. */
export const layout = css`
  :host {
    display: grid;
    grid-template-columns: 292px minmax(0, 1fr) 348px;
    grid-template-rows: auto minmax(0, 1fr);
    gap: var(--gap);
    max-width: 1720px;
    height: 100dvh;
    min-height: 820px;
    margin: 0 auto;
    padding: 18px 24px 24px;
  }

  header {
    grid-column: 1 / -1;
    display: grid;
    grid-template-columns: 292px minmax(0, 1fr);
    align-items: center;
    gap: var(--gap);
  }

  h1 {
    margin: 0;
    font: italic 400 34px/1 var(--serif);
    letter-spacing: -0.015em;
  }

  h1 small {
    display: block;
    margin-top: 7px;
    font: 400 13px/1.3 var(--sans);
    letter-spacing: 0;
    color: var(--text-2);
  }

  .rooms,
  .side {
    display: flex;
    flex-direction: column;
    gap: var(--gap);
    min-height: 0;
  }

  .rooms badge-wall {
    flex: 1;
  }

  .side {
    overflow: hidden auto;
    scrollbar-width: none;
  }

  .side > * {
    flex: none;
  }

  main {
    display: flex;
    flex-direction: column;
    gap: var(--gap);
    min-width: 0;
    min-height: 0;
  }

  .stage {
    position: relative;
    flex: 1;
    display: flex;
    flex-direction: column;
    min-height: 0;
    overflow: hidden;
  }

  .hero {
    position: relative;
    flex: none;
    display: flex;
    flex-direction: column;
    justify-content: space-between;
    height: 190px;
    padding: 24px 28px;
    background:
      linear-gradient(180deg, transparent 30%, var(--ink-1) 100%),
      radial-gradient(80% 130% at 80% 0%, hsl(var(--hue) 75% 62% / 0.5), transparent 70%),
      radial-gradient(60% 120% at 15% 10%, hsl(calc(var(--hue) + 70) 70% 45% / 0.42), transparent 70%);
  }

  .titles {
    display: flex;
    align-items: flex-end;
    justify-content: space-between;
    gap: 24px;
  }

  .titles revenue-card {
    flex: none;
  }

  .hero h2 {
    padding-bottom: 2px;
    font: 400 40px/1.1 var(--serif);
    letter-spacing: -0.02em;
  }

  .hero p {
    margin-top: 6px;
    color: var(--text-2);
  }

  .live {
    display: inline-flex;
    align-items: center;
    gap: 7px;
    align-self: flex-start;
    padding: 3px 11px 3px 9px;
    font-size: 12.5px;
    font-weight: 600;
    background: #0c0d12b3;
    border: 1px solid #ffffff1c;
    border-radius: 99px;
  }

  .live i {
    width: 8px;
    height: 8px;
    border-radius: 50%;
    background: var(--rose);
  }

  .live.on i {
    background: var(--mint);
  }

  gift-feed {
    flex: 1;
  }

  .note {
    position: absolute;
    left: 50%;
    bottom: 14px;
    width: max-content;
    max-width: calc(100% - 32px);
    padding: 7px 15px;
    font-size: 13.5px;
    color: var(--text);
    background: #272a36f2;
    border: 1px solid var(--line-strong);
    border-radius: 99px;
    transform: translateX(-50%);
    z-index: 2;
    transition: opacity var(--quick);
  }

  .note:empty {
    opacity: 0;
  }

  @media (min-width: 1100px) and (max-width: 1279px) {
    :host {
      grid-template-columns: 250px minmax(0, 1fr) 310px;
    }

    header {
      grid-template-columns: 250px minmax(0, 1fr);
    }
  }

  @media (max-width: 1099px) {
    :host {
      grid-template-columns: minmax(0, 1fr) 330px;
      grid-template-rows: auto;
      height: auto;
    }

    header {
      grid-template-columns: minmax(0, 1fr);
    }

    .rooms {
      grid-column: 1 / -1;
    }

    .rooms badge-wall {
      display: none;
    }

    .stage {
      flex: none;
      height: 640px;
    }
  }

  @media (max-width: 760px) {
    :host {
      display: flex;
      flex-direction: column;
      padding: 16px 16px 20px;
    }

    .rooms {
      order: 1;
    }

    main {
      order: 2;
      position: static;
    }

    .side {
      order: 3;
      overflow: visible;
    }

    pipeline-strip {
      order: 4;
    }

    .stage {
      height: 520px;
    }

    .hero {
      height: 190px;
      padding: 16px 18px 12px;
    }

    .titles {
      display: block;
    }

    .hero p {
      margin-top: 0;
    }

    .hero h2 {
      font-size: 30px;
    }

    gift-dock {
      position: sticky;
      bottom: 0;
      z-index: 2;
      margin: 0 -16px;
      padding: 0 16px 12px;
      background: linear-gradient(transparent, var(--ink-0) 40%);
    }
  }
`;
