/** The look of the front page's part. Columns follow the width of the part, not of the window. */
const styles = new CSSStyleSheet()
styles.replaceSync(`
  train-digits { container-type: inline-size; }
  train-digits .parts { display: grid; gap: 14px; align-items: start; }
  train-digits h2 { margin: 0 0 8px; font-size: 1.05rem; }
  train-digits p { margin: 6px 0; }
  train-digits canvas { image-rendering: pixelated; display: block; }
  train-digits .start { font-size: 1.05rem; padding: 12px 20px; width: 100%; border-radius: 8px; }
  train-digits .score { font-size: 2.6rem; line-height: 1.1; font-weight: 700; font-variant-numeric: tabular-nums; margin: 12px 0 0; }
  train-digits .bar { height: 8px; border-radius: 4px; background: var(--code); overflow: hidden; margin: 10px 0 4px; }
  train-digits .bar i { display: block; height: 100%; background: var(--accent); transition: width 0.15s linear; }
  train-digits .numbers { font-variant-numeric: tabular-nums; font-size: 0.88rem; min-height: 1.6em; }
  train-digits .curve { width: 100%; height: auto; display: block; }
  train-digits .curve text { font-size: 11px; fill: var(--muted); }
  train-digits .curve .line { stroke: var(--accent); stroke-width: 2.5; fill: none; stroke-linejoin: round; }
  train-digits .curve .grid { stroke: var(--line); }
  train-digits .curve circle { fill: var(--accent); }
  train-digits .filters { display: grid; grid-template-columns: repeat(8, 1fr); gap: 4px; margin: 8px 0 0; }
  train-digits .filters canvas { width: 100%; aspect-ratio: 1; border-radius: 3px; border: 1px solid var(--line); background: var(--code); }

  train-digits .reading { display: grid; grid-template-columns: minmax(0, 1.5fr) minmax(118px, 1fr); gap: 14px; }
  digit-pad { display: block; min-width: 0; }
  digit-pad .field { position: relative; max-width: 280px; }
  digit-pad .paper { width: 100%; aspect-ratio: 1; border: 2px dashed var(--line); border-radius: 10px; background: var(--card); touch-action: none; cursor: crosshair; }
  digit-pad .hint { position: absolute; inset: 0; display: grid; place-items: center; color: var(--muted); pointer-events: none; }
  digit-pad .seen { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; margin-top: 8px; font-size: 0.85rem; }
  digit-pad .seen canvas { width: 44px; height: 44px; border: 1px solid var(--line); border-radius: 4px; }
  digit-pad .seen span { flex: 1; }
  train-digits .bars { list-style: none; margin: 0; padding: 0; align-self: start; font-variant-numeric: tabular-nums; font-size: 0.85rem; }
  train-digits .bars li { display: grid; grid-template-columns: 1ch minmax(0, 1fr) 3.7em; gap: 6px; align-items: center; margin: 0; height: clamp(20px, 10%, 28px); }
  train-digits .bars .of { background: var(--code); border-radius: 3px; height: 14px; overflow: hidden; }
  train-digits .bars .of i { display: block; height: 100%; background: var(--series-1); border-radius: 3px; transition: width 0.12s; }
  train-digits .bars .percent { text-align: right; color: var(--muted); white-space: nowrap; }
  train-digits .bars .best { font-weight: 700; }
  train-digits .bars .best .percent { color: var(--ink); }
  train-digits .bars .best .of i { background: var(--good); }
  train-digits .answer { font-size: 1.15rem; min-height: 1.7em; margin: 10px 0 0; }
  train-digits .tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(52px, 1fr)); gap: 6px; margin: 8px 0; padding: 0; list-style: none; }
  train-digits .tiles.ten { grid-template-columns: repeat(5, 1fr); }
  train-digits .tiles li { margin: 0; }
  train-digits .tiles button { padding: 3px; width: 100%; display: grid; justify-items: center; font-size: 0.8rem; line-height: 1.5; }
  train-digits .tiles canvas { width: 100%; max-width: 52px; aspect-ratio: 1; }

  train-digits .wrong { color: var(--bad); }

  digit-matrix { display: block; }
  digit-matrix table { width: 100%; max-width: 440px; table-layout: fixed; border-collapse: separate; border-spacing: 2px; font-size: 0.8rem; }
  digit-matrix caption { text-align: left; font-size: 0.82rem; padding-bottom: 4px; }
  digit-matrix th, digit-matrix td { padding: 0; border: 0; text-align: center; vertical-align: middle; }
  digit-matrix button { width: 100%; min-height: 0; aspect-ratio: 1; display: block; padding: 0; border: 1px solid transparent; border-radius: 4px; font-size: 0.78rem; font-variant-numeric: tabular-nums; }
  digit-matrix button:disabled { opacity: 1; }
  digit-matrix button[aria-pressed='true'] { border: 2px solid var(--ink); }

  pre.copied { position: relative; padding-top: 48px; }
  .copy-code { position: absolute; top: 8px; right: 8px; font-family: system-ui, sans-serif; }

  @container (min-width: 660px) {
    train-digits .parts { grid-template-columns: 250px minmax(0, 1fr); }
    train-digits .mix { grid-column: 1 / -1; }
  }
  @container (min-width: 900px) {
    train-digits .parts { grid-template-columns: 216px minmax(0, 1.15fr) minmax(0, 1fr); }
    train-digits .mix { grid-column: auto; }
  }
  @media (prefers-reduced-motion: reduce) { train-digits i { transition: none !important; } }
`)
document.adoptedStyleSheets.push(styles)

export {}
