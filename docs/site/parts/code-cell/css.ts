/** The look of a cell, in the colours of site.css. */
export const css = `
code-cell > .row { margin: 6px 0 }
code-cell .output pre { margin: 6px 0; border-left: 3px solid var(--accent); border-radius: 4px 8px 8px 4px; white-space: pre }
code-cell .output pre.before { border-left-color: var(--line) }
code-cell tensor-view { display: block; margin: 8px 0 }
@media (max-width: 500px) { code-cell tensor-view .tv-cells span { min-width: 2.5em; padding: 1px 3px } }
code-cell figure { margin: 6px 0; padding: 10px 12px; background: var(--card); border: 1px solid var(--line); border-radius: 8px }
code-cell figcaption { font-weight: 600 }
code-cell figure svg { display: block; max-width: 100% }
code-cell .legend { margin: 0; display: flex; flex-wrap: wrap; gap: 2px 16px; font-size: 0.88rem }
code-cell .legend svg { display: inline-block; vertical-align: middle }
`
