/** The list of exercises. Each is a link; arrows step through them. */
import { html, nothing, type TemplateResult } from 'lit'
import { ladder } from './ladder.js'
import type { Progress } from './progress.js'

function step(event: KeyboardEvent): void {
  const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key]
  const links = [...(event.currentTarget as HTMLElement).querySelectorAll('a')]
  const at = links.indexOf(document.activeElement as HTMLAnchorElement)
  if (!by || at < 0) return
  event.preventDefault()
  links[Math.min(links.length - 1, Math.max(0, at + by))].focus()
}

export function ladderView(open: string, progress: Progress, titleOf: (id: string) => string): TemplateResult {
  const solved = ladder.filter(({ id }) => progress[id]?.solved).length
  return html`<nav class="be-ladder" aria-label="Exercises" @keydown=${step}>
    <p class="muted" style="margin:0 8px 6px">${solved} of ${ladder.length} solved</p>
    <ol>${ladder.map(({ id }, i) => {
      const done = progress[id]?.solved !== undefined
      return html`<li><a href="#${id}" aria-current=${id === open ? 'true' : nothing}>
        <span class="be-mark ${done ? 'be-done' : ''}" aria-hidden="true">${done ? '✓' : i + 1}</span>${titleOf(id)}${done ? html`<span class="skip">, solved</span>` : nothing}</a></li>`
    })}</ol>
  </nav>`
}
