/** The style of a report. It stands in a shadow root, so it meets no other. */
import { type Theme, themes } from './theme.js'

const variables = ({ name, page, card, ink, muted, line, accent }: Theme): string =>
  `color-scheme:${name};--page:${page};--card:${card};--ink:${ink};--muted:${muted};--line:${line};--accent:${accent};--plot-background:${card}`

export const css = `
:host{display:block}
*{box-sizing:border-box}
.report{${variables(themes.light)};background:var(--page);color:var(--ink);font:15px/1.5 system-ui,sans-serif;padding:16px;min-height:100%}
.report[data-theme=dark]{${variables(themes.dark)}}
.inside{max-width:1120px;margin:0 auto;container-type:inline-size}
header{display:flex;flex-wrap:wrap;gap:8px 16px;align-items:flex-start;margin-bottom:12px}
header>div:first-child{flex:1 1 300px;min-width:0}
h1{font-size:1.6rem;line-height:1.25;margin:0;overflow-wrap:anywhere}
h2{font-size:1.2rem;margin:28px 0 10px}
h3{font-size:1rem;margin:0 0 2px;overflow-wrap:anywhere}
p{margin:4px 0 8px;overflow-wrap:anywhere}
.meta{color:var(--muted);margin:4px 0 0}
.badge{display:inline-block;border:1px solid currentColor;border-radius:999px;padding:0 10px;font-size:.85rem;font-weight:600;margin-right:8px}
.buttons{display:flex;flex-wrap:wrap;gap:6px}
button{font:inherit;font-size:.85rem;color:var(--ink);background:var(--card);border:1px solid var(--line);border-radius:6px;padding:4px 10px;min-height:28px;cursor:pointer}
button:hover{border-color:var(--accent)}
:focus-visible{outline:3px solid var(--accent);outline-offset:1px}
nav{display:flex;flex-wrap:wrap;gap:2px 14px;font-size:.9rem}
a{color:var(--accent)}
.cards{display:grid;grid-template-columns:minmax(0,1fr);gap:14px}
@container (min-width:800px){.cards{grid-template-columns:repeat(2,minmax(0,1fr))}.wide{grid-column:1/-1}}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px;min-width:0}
.says{color:var(--muted);font-size:.92rem}
.plot{margin:6px 0;min-height:20px;position:relative}
.plot svg{display:block;max-width:100%;height:auto}
.scroll{overflow:auto;max-height:70vh}
.scroll svg{max-width:none}
.foot{display:flex;flex-wrap:wrap;gap:6px 12px;align-items:flex-start}
details{flex:1 1 160px;min-width:0}
details[open]{flex-basis:100%}
summary{cursor:pointer;font-size:.9rem;padding:3px 0;min-height:28px}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:3px 12px 3px 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:break-word}
td.n,th.n{text-align:right}
tbody th{min-width:6.5em;position:sticky;left:0;background:var(--card)}
thead th{position:sticky;top:0;background:var(--card);z-index:1}
table:has(tbody th) thead th:first-child{left:0;z-index:2}
.differ td{min-width:10.5em;overflow-wrap:anywhere}
.finals tbody th{min-width:8.5em}
.facts th{font-weight:500;color:var(--muted);padding-right:20px}
.facts .scroll{max-height:none}
.facts td{overflow-wrap:anywhere}
.scroll+.buttons{margin-top:8px}
pre{font:12px/1.45 ui-monospace,monospace;margin:6px 0;white-space:pre}
pre.wrap{white-space:pre-wrap;overflow-wrap:anywhere;font-size:13px}
.controls{display:flex;flex-wrap:wrap;gap:6px 22px;align-items:center;margin:0 0 10px;font-size:.92rem}
.controls label{display:inline-flex;gap:8px;align-items:center;min-height:28px}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:2px 16px;margin:2px 0;padding:0;font-size:.88rem}
.legend li{display:inline-flex;gap:6px;align-items:center;min-width:0;overflow-wrap:anywhere}
.legend svg{flex:none}
.remarks{margin:0;padding-left:20px}
.tiles{list-style:none;display:grid;grid-template-columns:repeat(auto-fill,minmax(92px,1fr));gap:10px;margin:8px 0;padding:0}
.tiles li{min-width:0;font-size:.85rem;line-height:1.35;overflow-wrap:anywhere}
.tiles.texts{grid-template-columns:minmax(0,1fr)}
.tiles.texts li{border-left:3px solid var(--line);padding-left:10px}
canvas{display:block;image-rendering:pixelated;max-width:100%}
li>canvas{border:1px solid var(--line)}
.beside{display:flex;flex-wrap:wrap;gap:8px 24px}
.beside>.plot{flex:2 1 440px;min-width:0}
.beside>div:last-child{flex:1 1 280px;min-width:0}
.errors{list-style:none;margin:4px 0;padding:0}
.errors button{margin:2px 0;text-align:left}
[role=button]{cursor:pointer}
[role=button]:focus-visible{outline:none;stroke:var(--ink);stroke-width:3px}
.note{border-left:3px solid var(--accent);padding-left:10px}
@media print{.buttons,.controls,nav{display:none}.report{background:none}.card{break-inside:avoid}}
`
