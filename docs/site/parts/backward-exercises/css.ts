/** The look of the exercises. */
export const css = `
backward-exercises .be { display: grid; grid-template-columns: 200px minmax(0, 1fr); gap: 24px; align-items: start; }
backward-exercises .be-ladder { position: sticky; top: 4rem; max-height: calc(100vh - 5rem); overflow: auto; }
backward-exercises .be-ladder ol { list-style: none; margin: 0; padding: 0; counter-reset: step; }
backward-exercises .be-ladder a { display: flex; gap: 8px; padding: 4px 8px; border-radius: 6px; color: var(--ink); text-decoration: none; min-height: 32px; align-items: center; }
backward-exercises .be-ladder a:hover, backward-exercises .be-ladder a[aria-current] { background: var(--code); }
backward-exercises .be-ladder a[aria-current] { font-weight: 600; }
backward-exercises .be-ladder .be-mark { width: 1.3em; text-align: center; color: var(--muted); font-variant-numeric: tabular-nums; flex: none; }
backward-exercises .be-ladder .be-done { color: var(--good); font-weight: 700; }
backward-exercises .be-work { min-width: 0; display: grid; gap: 14px; }
backward-exercises .be-work > * { min-width: 0; }
backward-exercises .be-task h2 { margin-top: 0; }
backward-exercises .be-task, backward-exercises .be-hints, backward-exercises .be-text { max-width: 760px; }
backward-exercises .be-hints { margin: 0; padding-left: 1.4em; }
backward-exercises .be-cases { list-style: none; margin: 8px 0; padding: 0; display: flex; flex-wrap: wrap; gap: 6px; }
backward-exercises .be-cases button { text-align: left; max-width: 100%; }
backward-exercises .be-cases button[aria-pressed="true"] { border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); }
backward-exercises .be-cases code { background: none; padding: 0; overflow-wrap: normal; }
backward-exercises .be-verdict { font-size: 1.1rem; font-weight: 600; margin: 0; }
backward-exercises .be-diagnosis { border-left: 4px solid var(--bad); padding: 2px 0 2px 12px; margin: 8px 0; max-width: 760px; }
backward-exercises .be-diagnosis h3 { margin: 0 0 2px; }
backward-exercises .be-diagnosis p { margin: 0; }
backward-exercises .be-both { display: flex; flex-wrap: wrap; gap: 12px 28px; margin: 6px 0 12px; }
backward-exercises .be-both > * { max-width: 100%; }
backward-exercises .error { margin: 8px 0; }
backward-exercises .be-path { overflow-wrap: anywhere; margin-bottom: 0; }
backward-exercises pre { max-height: 420px; }
backward-exercises .be-plot { margin: 8px 0; max-width: 640px; min-height: 180px; }
backward-exercises .be-plot figure { margin: 0; }
backward-exercises .be-plot .legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 0 0 4px; font-size: 0.9rem; }
backward-exercises .be-plot .legend svg { vertical-align: middle; }
backward-exercises .be-digits { margin-top: 24px; }
backward-exercises .be-digits h2 { margin-top: 0; }
backward-exercises .be-files { display: block; margin-top: 16px; }
backward-exercises .be-files input { position: absolute; opacity: 0; width: 1px; height: 1px; min-height: 0; padding: 0; }
backward-exercises .be-files label { border: 1px solid var(--line); border-radius: 6px; background: var(--card); font-size: 0.92rem; padding: 5px 12px; min-height: 34px; cursor: pointer; display: inline-flex; align-items: center; }
backward-exercises .be-files input:focus-visible + label { outline: 3px solid var(--accent); }
backward-exercises progress { width: min(320px, 100%); accent-color: var(--accent); }
@media (max-width: 900px) {
  backward-exercises .be { grid-template-columns: minmax(0, 1fr); gap: 14px; }
  backward-exercises .be-ladder { position: static; max-height: none; }
  backward-exercises .be-ladder ol { display: flex; flex-wrap: wrap; gap: 4px; }
  backward-exercises .be-ladder a { border: 1px solid var(--line); }
}
`
