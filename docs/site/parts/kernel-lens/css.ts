/** The look of the lens. */
import { css } from 'lit'

export const styles = css`
  kernel-lens .grid { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 14px; margin-top: 14px; }
  kernel-lens .card h2 { font-size: 1.1rem; margin: 0 0 6px; }
  kernel-lens .card h2:not(:first-child) { margin-top: 16px; }
  kernel-lens .all { grid-column: 1 / -1; }
  kernel-lens .busy { color: var(--bad); }
  kernel-lens label { display: inline-flex; gap: 6px; align-items: center; min-width: 0; max-width: 100%; }
  kernel-lens select { min-width: 0; max-width: 100%; text-overflow: ellipsis; }
  kernel-lens .cm-scroller { max-height: 420px; }
  kernel-lens input[type='number'] { width: 86px; }
  kernel-lens .formula { overflow-x: auto; padding: 4px 0; }
  kernel-lens .code { display: grid; grid-template-columns: minmax(0, 1.6fr) minmax(0, 1fr); gap: 14px; }
  kernel-lens .lines { max-height: 480px; overflow: auto; border: 1px solid var(--line); border-radius: 8px; padding: 6px 0; margin: 0; font: 0.82rem / 1.5 var(--mono); }
  kernel-lens .lines button { display: grid; grid-template-columns: 5.5em auto; gap: 10px; width: max-content; min-width: 100%; min-height: 0; border: 0; border-left: 4px solid transparent; border-radius: 0; padding: 1px 10px; background: none; font: inherit; text-align: left; white-space: pre; }
  kernel-lens .lines button:hover, kernel-lens .lines button[aria-pressed='true'] { background: var(--code); }
  kernel-lens .lines .lit { background: color-mix(in srgb, var(--series-2) 20%, transparent) !important; }
  kernel-lens .lines .runs { color: var(--muted); text-align: right; }
  kernel-lens .lines .in { background: color-mix(in srgb, var(--accent) 7%, transparent); }
  kernel-lens .multiply-add { border-left-color: var(--series-2) !important; }
  kernel-lens .load { border-left-color: var(--series-1) !important; }
  kernel-lens .store { border-left-color: var(--series-3) !important; }
  kernel-lens .arithmetic { border-left-color: var(--series-4) !important; }
  kernel-lens .key { display: inline-block; border-left: 4px solid; padding-left: 6px; margin-right: 12px; }
  kernel-lens .about { max-height: 480px; overflow: auto; }
  kernel-lens .about dt { font: 0.82rem / 1.5 var(--mono); margin-top: 8px; }
  kernel-lens .about dd { margin: 0; }
  kernel-lens pre { max-height: 420px; overflow: auto; margin: 8px 0; }
  kernel-lens table { width: 100%; }
  kernel-lens td:last-child, kernel-lens th:last-child { text-align: right; padding-right: 0; }
  kernel-lens .tile { font: 0.8rem var(--mono); display: grid; gap: 2px; margin: 6px 0; }
  kernel-lens .tile span { padding: 3px 4px; border: 1px solid var(--line); border-radius: 4px; text-align: center; overflow: hidden; }
  kernel-lens .tile .lit { background: color-mix(in srgb, var(--series-2) 25%, transparent); border-color: var(--series-2); }
  kernel-lens svg { display: block; }
  @media (max-width: 900px) {
    kernel-lens .grid, kernel-lens .code { grid-template-columns: minmax(0, 1fr); }
    kernel-lens .about { max-height: none; }
  }
`
