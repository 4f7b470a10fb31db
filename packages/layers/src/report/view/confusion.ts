/** A confusion matrix. A click or Enter on a cell opens its misread samples; arrow keys go from cell to cell. */
import type { ConfusionSection } from '../record.js'
import { h } from './dom.js'
import { figure } from './figure.js'
import { drawGrid } from './grid.js'
import { sampleTiles } from './samples.js'
import type { Stage } from './stage.js'
import { counted, num, percent } from './text.js'
import { along } from './theme.js'

export function confusionPart(stage: Stage, section: ConfusionSection): HTMLElement {
  const { title, says, labels, counts, samples = [], images } = section
  const sums = counts.map((row) => row.reduce((sum, n) => sum + n, 0))
  const total = sums.reduce((sum, n) => sum + n, 0)
  const right = counts.reduce((sum, row, t) => sum + (row[t] ?? 0), 0)
  const wrongMost = Math.max(1, ...counts.map((row, t) => Math.max(0, ...row.filter((_, p) => p !== t))))
  const opened = h('div', { role: 'status' })
  const text = (t: number, p: number): string =>
    t === p
      ? `${labels[t]} read right: ${num(counts[t][p])} of ${num(sums[t])}`
      : `${labels[t]} read as ${labels[p]}: ${num(counts[t][p])} of ${num(sums[t])}`
  let chosen: [number, number] = [0, 0]

  function open(t: number, p: number): void {
    const found = samples.filter((sample) => sample.truth === t && sample.predicted === p)
    opened.replaceChildren(
      h('p', {}, h('strong', {}, `${text(t, p)}.`), found.length === 0 && t !== p ? ' No sample of this cell is in the report.' : ''),
      ...(found.length > 0 ? [sampleTiles({ labels, samples: found, images })] : []),
    )
  }

  /** Makes cells that the keyboard reaches: one of them by Tab, the others by arrows. */
  function choosable(rects: readonly SVGRectElement[]): void {
    const at = (t: number, p: number): SVGRectElement | undefined => rects[t * labels.length + p]
    for (const [i, rect] of rects.entries()) {
      const [t, p] = [Math.floor(i / labels.length), i % labels.length]
      rect.setAttribute('role', 'button')
      rect.setAttribute('tabindex', t === chosen[0] && p === chosen[1] ? '0' : '-1')
      rect.setAttribute('aria-label', text(t, p))
      rect.addEventListener('click', () => open(t, p))
      rect.addEventListener('keydown', (event) => {
        const moves: Record<string, [number, number]> = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }
        const move = moves[event.key]
        if (event.key === 'Enter' || event.key === ' ') open(t, p)
        else if (move) {
          const next = at(Math.min(labels.length - 1, Math.max(0, t + move[0])), Math.min(labels.length - 1, Math.max(0, p + move[1])))
          rect.setAttribute('tabindex', '-1')
          next?.setAttribute('tabindex', '0')
          next?.focus()
        } else return
        event.preventDefault()
      })
      rect.addEventListener('focus', () => {
        chosen = [t, p]
      })
    }
  }

  const errors = counts
    .flatMap((row, t) => row.map((n, p) => ({ n, t, p })))
    .filter(({ n, t, p }) => t !== p && n > 0)
    .sort((a, b) => b.n - a.n)
    .slice(0, 6)
  const [worst] = errors
  const list = h(
    'ul',
    { class: 'errors' },
    errors.map(({ n, t, p }) =>
      h('li', {}, h('button', { type: 'button', click: () => open(t, p) }, `${labels[t]} read as ${labels[p]}: ${num(n)}`)),
    ),
  )
  return figure(stage, {
    title,
    says: [says, samples.length > 0 && 'A click, or Enter, on a cell opens its misread samples.'].filter(Boolean).join(' ') || undefined,
    wide: true,
    interactive: true,
    scroll: labels.length > 16,
    sentence: () =>
      `Confusion matrix of ${counted(labels.length, 'class').replace(/classs$/, 'classes')}: ${num(right)} of ${num(total)} read right (${percent(right / Math.max(1, total))})` +
      (worst ? `; most often ${labels[worst.t]} was read as ${labels[worst.p]}, ${counted(worst.n, 'time')}.` : '.'),
    draw(width) {
      const { theme } = stage
      const { plot, rects } = drawGrid({
        width: labels.length > 16 ? Math.max(width, 100 + 24 * labels.length) : width,
        theme,
        rows: { label: 'is', names: labels },
        columns: { label: 'read as', names: labels },
        values: counts,
        // The root shows single errors beside thousands that are right.
        color: (n, t, p) =>
          t === p ? along(theme.right, Math.sqrt(n / Math.max(1, sums[t]))) : along(theme.ramp, Math.sqrt(n / wrongMost) * 0.85),
        tip: text,
        numbers: true,
      })
      choosable(rects)
      // Plot would pin its tip at the cell, above it, and the click would not reach the cell.
      plot.addEventListener('pointerdown', (event) => event.stopPropagation(), { capture: true })
      for (const part of plot.querySelectorAll('g[aria-label]')) part.removeAttribute('aria-label')
      return { plot }
    },
    table: () => ({ columns: ['is \\ read as', ...labels], rows: counts.map((row, t) => [labels[t], ...row]) }),
    beside: [errors.length > 0 && [h('p', { style: 'margin:0' }, 'Most frequent errors'), list], opened],
  }).element
}
