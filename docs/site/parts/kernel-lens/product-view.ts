/** A product as three rectangles: B above, A at the left, C between. A cell of C lights its row of A and its column of B, and the tile that it is computed in. */
import { html, nothing, svg, type TemplateResult } from 'lit'
import type { SeenKernel } from '../../../../bench/lens/look.js'

/** The register tile of a kernel, read off its inner loop. */
export interface SeenTile {
  rows: number
  columns: number
  /** The variables that hold the sums, row by row. */
  sums: string[]
}

/** Each splat belongs to a row, each vector load to four columns. Undefined for a loop of another kind. */
export function tileOf({ statements, loop }: SeenKernel): SeenTile | undefined {
  if (!loop) return undefined
  const inside = statements.slice(loop.from, loop.to + 1)
  const sums = [...new Set(inside.filter(({ purpose }) => purpose === 'multiply-add').map(({ sets }) => sets ?? ''))]
  const all = inside.filter(({ words }) => words.some((word) => word.startsWith('v128.load32_splat'))).length
  const multiplyAdds = inside.filter(({ purpose }) => purpose === 'multiply-add').length
  const rows = sums.length > 0 ? all / (multiplyAdds / sums.length) : 0
  if (!Number.isInteger(rows) || rows < 1 || sums.length % rows !== 0) return undefined
  return { rows, columns: (4 * sums.length) / rows, sums }
}

/** The variable that holds the sum of a cell: a vector of four cells. */
export const sumOf = ({ rows, columns, sums }: SeenTile, [i, j]: readonly [number, number]): string =>
  sums[(i % rows) * (columns / 4) + Math.floor((j % columns) / 4)]

const SIDE = 150
const GAP = 12

export function productView(
  [m, k, n]: readonly number[],
  cell: readonly [number, number],
  tile: SeenTile | undefined,
  move: (cell: [number, number]) => void,
): TemplateResult {
  const scale = SIDE / Math.max(m, k, n)
  const [high, deep, wide] = [m, k, n].map((size) => Math.max(24, size * scale))
  const [left, top] = [deep + GAP, deep + GAP]
  const [i, j] = cell
  const [cellHigh, cellWide] = [high / m, wide / n]
  const at = (event: PointerEvent): void => {
    const box = (event.currentTarget as SVGElement).getBoundingClientRect()
    const place = (part: number, size: number): number => Math.max(0, Math.min(size - 1, Math.floor(part * size)))
    move([place((event.clientY - box.top) / box.height, m), place((event.clientX - box.left) / box.width, n)])
  }
  const first = tile && [i - (i % tile.rows), j - (j % tile.columns)]
  return html`<svg viewBox="0 0 ${left + wide + 2} ${top + high + 2}" width=${2 * (left + wide)} style="max-width:min(100%, 460px)" role="img"
      aria-label="A product: row ${i} of A times column ${j} of B is C[${i}, ${j}]">
      <g fill="var(--code)" stroke="var(--line)">
        ${svg`<rect x="0" y=${top} width=${deep} height=${high}></rect><rect x=${left} y="0" width=${wide} height=${deep}></rect>`}
      </g>
      ${svg`<rect x="0" y=${top + i * cellHigh} width=${deep} height=${Math.max(1.5, cellHigh)} fill="var(--series-1)"></rect>
        <rect x=${left + j * cellWide} y="0" width=${Math.max(1.5, cellWide)} height=${deep} fill="var(--series-3)"></rect>
        <rect class="cells" x=${left} y=${top} width=${wide} height=${high} fill="var(--code)" stroke="var(--line)" style="cursor:crosshair;touch-action:none"
          @pointermove=${at} @pointerdown=${at}></rect>
        ${
          tile && first
            ? svg`<rect x=${left + first[1] * cellWide} y=${top + first[0] * cellHigh} width=${Math.min(tile.columns, n - first[1]) * cellWide}
              height=${Math.min(tile.rows, m - first[0]) * cellHigh} fill="none" stroke="var(--series-4)" pointer-events="none"></rect>`
            : nothing
        }
        <rect x=${left + j * cellWide} y=${top + i * cellHigh} width=${Math.max(2.5, cellWide)} height=${Math.max(2.5, cellHigh)} fill="var(--series-2)" pointer-events="none"></rect>
        <g font-size="11" fill="var(--ink)" pointer-events="none"><text x="4" y=${top + 13}>A</text><text x=${left + 4} y="13">B</text><text x=${left + 4} y=${top + 13}>C</text></g>`}
    </svg>
    <div class="row"><label>row i <input type="number" min="0" max=${m - 1} .value=${String(i)}
        @change=${(event: Event) => move([Math.max(0, Math.min(m - 1, Math.floor(Number((event.target as HTMLInputElement).value) || 0))), j])} /></label>
      <label>column j <input type="number" min="0" max=${n - 1} .value=${String(j)}
        @change=${(event: Event) => move([i, Math.max(0, Math.min(n - 1, Math.floor(Number((event.target as HTMLInputElement).value) || 0)))])} /></label></div>
    <p><code>C[${i}, ${j}] = A[${i}, 0]·B[0, ${j}] + … + A[${i}, ${k - 1}]·B[${k - 1}, ${j}]</code>, ${k} products.</p>
    <p>Backwards this cell gives, for each l: <code>dA[${i}, l] += dC[${i}, ${j}]·B[l, ${j}]</code> and <code>dB[l, ${j}] += A[${i}, l]·dC[${i}, ${j}]</code>.
      Over all cells that is <code>dA = dC·Bᵀ</code> and <code>dB = Aᵀ·dC</code>: two products more.</p>
    ${
      tile
        ? html`<p>Its sum lies in lane ${j % 4} of <code>${sumOf(tile, cell)}</code> while k runs, with the ${tile.rows} × ${tile.columns} cells of its tile:</p>
            <div class="tile" style="grid-template-columns:repeat(${tile.columns / 4}, minmax(0, 90px))">
              ${tile.sums.map((name) => html`<span class=${name === sumOf(tile, cell) ? 'lit' : ''}>${name}</span>`)}
            </div>`
        : nothing
    }`
}
