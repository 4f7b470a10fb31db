/** The look of the explorer, in the colours of the site. */
export const styles = new CSSStyleSheet()
styles.replaceSync(`
tape-explorer .te-top { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 16px; align-items: start; }
tape-explorer h2 { margin: 0; font-size: 1.15rem; overflow-wrap: anywhere; }
tape-explorer h3 { margin: 0 0 6px; font-size: 0.9rem; font-weight: 600; }
tape-explorer .te-code { display: flex; flex-direction: column; gap: 8px; min-width: 0; }
tape-explorer .te-code textarea { width: 100%; min-height: 340px; resize: vertical; font: 14px / 1.55 var(--mono); color: var(--ink); background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 4px 10px 4px 44px; white-space: pre; overflow: auto; tab-size: 2; }
tape-explorer .te-code .cm-editor { min-height: 340px; max-height: 480px; }
tape-explorer .te-code p { margin: 0; }
tape-explorer select { max-width: 100%; }
tape-explorer label { display: inline-flex; gap: 8px; align-items: center; flex-wrap: wrap; min-width: 0; }
tape-explorer .te-tape { padding: 10px 4px 4px; }
tape-explorer .te-tape > .row { padding: 0 8px 8px; }
tape-explorer [role=tablist] { display: flex; gap: 4px; }
tape-explorer [aria-selected=true], tape-explorer [aria-pressed=true] { border-color: var(--accent); color: var(--accent); font-weight: 600; }
tape-explorer .te-scroll { max-height: 430px; overflow: auto; }
tape-explorer .te-list { position: relative; width: max-content; min-width: 100%; }
tape-explorer .te-list svg { position: absolute; left: 0; top: 0; max-width: none; }
tape-explorer .te-list ol { list-style: none; margin: 0; padding: 0 0 0 var(--gutter); box-sizing: border-box; }
tape-explorer .te-list li { height: var(--row); margin: 0; white-space: nowrap; display: flex; align-items: center; }
tape-explorer .te-list button { height: 28px; min-height: 0; width: 100%; text-align: left; border: 1px solid transparent; background: none; padding: 0 8px; font: 0.85rem var(--mono); white-space: nowrap; color: var(--muted); border-radius: 6px; display: flex; gap: 10px; align-items: center; }
tape-explorer .te-list .te-done button { color: var(--ink); }
tape-explorer .te-list button:hover { border-color: var(--accent); }
tape-explorer .te-list button[aria-current] { background: color-mix(in srgb, var(--accent) 14%, transparent); border-color: var(--accent); font-weight: 600; }
tape-explorer .te-list li.te-passed { text-decoration: line-through; }
tape-explorer .te-list li.te-ends { font: 0.85rem var(--mono); color: var(--bad); padding-left: 8px; gap: 10px; }
tape-explorer .te-number { color: var(--muted); min-width: 1.6em; text-align: right; font-weight: 400; }
tape-explorer .te-path { color: var(--series-4); font-size: 0.78rem; font-family: var(--mono); font-weight: 400; }
tape-explorer .te-back { color: var(--series-2); margin-left: auto; font-size: 0.78rem; font-weight: 400; }
tape-explorer [aria-current] .te-back, tape-explorer [aria-current] .te-path, tape-explorer [aria-current] .muted, tape-explorer [aria-current] .te-number { color: var(--ink); }
tape-explorer .te-arc, tape-explorer .te-edge { fill: none; stroke: var(--line); stroke-width: 1.5; }
tape-explorer path.te-in { stroke: var(--series-1); stroke-width: 3; }
tape-explorer path.te-out { stroke: var(--series-2); stroke-width: 3; }
tape-explorer .te-graph { overflow: auto; max-height: 430px; }
tape-explorer .te-graph svg { max-width: none; display: block; margin: 0 auto; }
tape-explorer .te-graph text { font: 12px var(--mono); text-anchor: middle; fill: var(--ink); }
tape-explorer .te-graph text.te-small { font-size: 10.5px; fill: var(--muted); }
tape-explorer .te-graph rect { fill: var(--card); stroke: var(--line); stroke-width: 1.5; }
tape-explorer .te-graph .te-box { cursor: pointer; }
tape-explorer .te-graph .te-box:focus-visible { outline: none; }
tape-explorer .te-graph .te-box:focus-visible rect { stroke: var(--accent); stroke-width: 3; }
tape-explorer .te-graph .te-done rect { stroke: var(--muted); }
tape-explorer .te-graph .te-now rect { fill: color-mix(in srgb, var(--accent) 18%, var(--card)); stroke: var(--accent); stroke-width: 3; }
tape-explorer .te-graph .te-passed rect { stroke-dasharray: 4 3; }
tape-explorer .te-graph .te-ends rect { stroke: var(--bad); stroke-dasharray: 4 3; }
tape-explorer .te-graph .te-leaf rect { fill: var(--code); }
tape-explorer .te-graph .te-source rect { stroke: var(--series-3); stroke-width: 2; }
tape-explorer .te-steps { position: sticky; top: 3.2rem; z-index: 5; background: var(--page); border-bottom: 1px solid var(--line); padding: 8px 0; margin: 14px 0 12px; }
tape-explorer .te-steps input { flex: 1 1 80px; min-width: 0; }
tape-explorer .te-steps .te-where { min-width: 12.5em; font-variant-numeric: tabular-nums; }
tape-explorer .te-detail { display: flex; flex-direction: column; gap: 12px; }
tape-explorer .te-heading select { margin-left: auto; }
tape-explorer .te-source-text a { overflow-wrap: anywhere; }
tape-explorer .te-facts { display: flex; flex-wrap: wrap; gap: 4px 18px; font-size: 0.92rem; }
tape-explorer .te-flow { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 12px; align-items: start; }
tape-explorer .te-flow > details { grid-column: 1 / -1; }
tape-explorer .te-flow tensor-view, tape-explorer .te-end tensor-view { margin-bottom: 8px; }
tape-explorer .te-pair { display: flex; flex-wrap: wrap; gap: 4px 24px; align-items: start; }
tape-explorer .te-pair tensor-view { max-width: 100%; }
tape-explorer .te-verdict { flex: 1 0 100%; margin: 0 0 10px; font-size: 0.85rem; }
tape-explorer .te-differs { color: var(--bad); }
tape-explorer .te-adds { margin: 0 0 10px; font-size: 0.88rem; color: var(--series-4); }
tape-explorer .te-parts { display: flex; flex-wrap: wrap; gap: 10px 18px; border-left: 3px solid var(--series-2); padding-left: 12px; }
tape-explorer .te-parts > div { max-width: 100%; }
tape-explorer .te-parts .muted { font-size: 0.82rem; }
tape-explorer .te-plus { align-self: center; font-weight: 700; font-size: 1.2rem; color: var(--series-2); }
tape-explorer .te-end { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr)); gap: 12px; }
tape-explorer .te-broken { border-left: 4px solid var(--bad); }
tape-explorer .te-broken pre { margin: 6px 0; padding: 6px 10px; white-space: pre-wrap; }
tape-explorer .te-bars { width: 100%; height: 56px; display: block; }
tape-explorer path.te-held { fill: var(--series-1); }
tape-explorer path.te-cotangents { fill: var(--series-2); }
tape-explorer rect.te-at { fill: color-mix(in srgb, var(--accent) 28%, var(--card)); }
tape-explorer .te-key { display: inline-block; width: 0.8em; height: 0.8em; border-radius: 2px; margin: 0 6px 0 0; }
tape-explorer .te-key.te-held { background: var(--series-1); }
tape-explorer .te-key.te-cotangents { background: var(--series-2); margin-left: 14px; }
tape-explorer .te-memory p { margin: 6px 0; font-size: 0.92rem; }
tape-explorer .te-source-text .cm-editor { max-height: 420px; }
tape-explorer .te-said { max-height: 10em; overflow: auto; margin: 0; }
tape-explorer .te-chain { display: flex; flex-wrap: wrap; gap: 4px; align-items: center; }
@media (max-width: 900px) {
  tape-explorer .te-top, tape-explorer .te-flow { grid-template-columns: minmax(0, 1fr); }
  tape-explorer .te-code textarea { min-height: 300px; }
  tape-explorer .te-code .cm-editor { min-height: 300px; max-height: 360px; }
  tape-explorer .te-scroll, tape-explorer .te-graph { max-height: 320px; }
  tape-explorer .te-steps { gap: 6px; }
  tape-explorer .te-steps button { padding: 4px 8px; font-size: 0.88rem; }
  tape-explorer .te-steps .te-where { min-width: 0; font-size: 0.88rem; }
}
`)
