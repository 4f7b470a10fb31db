/** A report as one HTML file: the record, and the script that draws it. */

import { RECORD_TAG } from './check-record.js'
import type { Comparison } from './comparison-record.js'
import type { RunRecord } from './record.js'

/** Text for HTML. */
const escaped = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;')

/** JSON that may stand in a script element: no `<` can end it or open another. The two line separators are escaped for older readers of scripts. */
export const jsonForPage = (value: unknown): string =>
  JSON.stringify(value)
    .replace(/</g, '\\u003c')
    .replace(/\u2028/g, '\\u2028')
    .replace(/\u2029/g, '\\u2029')

/**
 * A page that looks for news loads itself in a hidden frame (view/follow.ts). There this script sends the record to the page around it, and stops before the long script.
 */
const answer =
  "if(parent!==self&&location.search.includes('cotangent-news')){parent.postMessage({cotangentRecord:document.getElementById('record').textContent},location.protocol==='file:'?'*':location.origin);window.stop()}"

/**
 * The page. It asks for nothing: script, style and data are in it.
 *
 * @param script the view, as one classic script
 */
export function pageOf(record: RunRecord | Comparison, script: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(record.title)}</title>
<link rel="icon" href="data:,">
<style>html{background:#f6f7f9}body{margin:0}#report{display:grid;grid-template-columns:minmax(0,1fr);min-height:100vh}@media(prefers-color-scheme:dark){html{background:#12151a}}</style>
</head>
<body>
${RECORD_TAG}${jsonForPage(record)}</script>
<script>${answer}</script>
<noscript><p>${escaped(record.title)}. The charts of this report need JavaScript. Its data is in this file, as JSON in the element with the id "record".</p></noscript>
<div id="report"></div>
<script>${script.replace(/<\/(script)/gi, '<\\/$1')}</script>
</body>
</html>
`
}
