/** The look of the time machine. */
const styles = new CSSStyleSheet()
styles.replaceSync(`
  time-machine { container-type: inline-size; }
  time-machine canvas { image-rendering: pixelated; display: block; }
  time-machine .knobs { display: grid; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); gap: 10px; }
  time-machine label { display: grid; gap: 2px; font-size: 0.82rem; color: var(--muted); }
  time-machine select { width: 100%; padding: 5px 8px; }
  time-machine .beside { margin-top: 12px; display: flex; flex-wrap: wrap; gap: 10px; align-items: end; }
  time-machine .beside label { min-width: 150px; }
  time-machine .drive { position: sticky; top: 3.2rem; z-index: 5; margin: 12px 0; box-shadow: 0 4px 14px #0002; padding: 10px 14px; }
  time-machine .drive .row { gap: 6px; flex-wrap: nowrap; }
  time-machine .drive input { flex: 1; min-width: 0; }
  time-machine .drive output { font-variant-numeric: tabular-nums; font-weight: 700; min-width: 6.2ch; text-align: right; }
  time-machine .drive button { padding: 4px 10px; }
  time-machine .chart { position: relative; margin: 6px 0 0 3.2em; }
  time-machine .chart svg { width: 100%; height: 110px; display: block; cursor: pointer; overflow: visible; }
  time-machine .chart polyline { fill: none; stroke-width: 1.5; vector-effect: non-scaling-stroke; stroke: var(--series-1); }
  time-machine .chart polyline.run-1 { stroke: var(--series-2); stroke-dasharray: 5 3; }
  time-machine .chart .grid { stroke: var(--line); vector-effect: non-scaling-stroke; }
  time-machine .chart .now { stroke: var(--ink); stroke-width: 2; vector-effect: non-scaling-stroke; }
  time-machine .chart .tick { position: absolute; right: calc(100% + 6px); transform: translateY(-50%); font-size: 0.75rem; color: var(--muted); }
  time-machine .runs { display: grid; gap: 14px; align-items: start; }
  run-view { min-width: 0; display: block; }
  run-view.stale { opacity: 0.5; }
  run-view h2 { margin: 0; font-size: 1.05rem; border-left: 5px solid var(--series-1); padding-left: 8px; }
  run-view h2.run-1 { border-color: var(--series-2); border-left-style: dashed; }
  run-view h3 { margin: 16px 0 0; font-size: 1rem; }
  run-view .facts { display: flex; flex-wrap: wrap; gap: 2px 14px; font-size: 0.88rem; font-variant-numeric: tabular-nums; }
  run-view .sides { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(260px, 100%), 1fr)); gap: 14px; align-items: start; }
  run-view figure { margin: 0; }
  run-view .plane { width: 100%; max-width: 420px; aspect-ratio: 1; border-radius: 8px; image-rendering: auto; }
  run-view .units, run-view .images { display: grid; grid-template-columns: repeat(8, 1fr); gap: 3px; max-width: 420px; }
  run-view .images { max-width: none; grid-template-columns: repeat(auto-fill, minmax(52px, 1fr)); }
  run-view .units canvas, run-view .images canvas { width: 100%; aspect-ratio: 1; border-radius: 3px; }
  run-view .sides p { margin: 4px 0; font-size: 0.85rem; }
  run-view table { font-size: 0.85rem; width: 100%; }
  run-view td, run-view th { padding: 4px 10px 4px 0; overflow-wrap: break-word; }
  run-view td.op { min-width: 9.5em; }
  run-view td.numbers { padding: 8px 0; max-width: 1px; }
  run-view td code { padding: 0; background: none; }
  run-view .map { padding: 2px; min-height: 0; display: block; width: 120px; }
  run-view .map { scroll-margin-top: 260px; }
  time-machine .drive .error:empty { margin: 0; }
  time-machine .try { margin: 10px 0 0; font-size: 0.9rem; display: flex; flex-wrap: wrap; gap: 4px 14px; }
  run-view .map[aria-pressed='true'] { border-color: var(--accent); outline: 1px solid var(--accent); }
  run-view .map canvas { width: 100%; height: 26px; }
  @container (max-width: 500px) {
    run-view .map { width: 84px; }
    time-machine .chart svg { height: 64px; }
    time-machine .chart { margin-left: 2.6em; }
    time-machine .knobs { grid-template-columns: 1fr 1fr 1fr; }
  }
  @container (min-width: 860px) { time-machine .runs.two { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); } }
`)
document.adoptedStyleSheets.push(styles)

export {}
