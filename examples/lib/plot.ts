/**
 * Charts for pictures: Observable Plot draws axes, lines, dots and cells, on an XML document in the place of a page's. Both packages are loaded when somebody draws.
 *
 * A chart is a part of a picture of svg.ts. Its colours are the picture's CSS variables, so it is dark where the page is.
 */
import type * as Library from '@observablehq/plot'
import type { Element } from '@xmldom/xmldom'

export interface Charts {
  /** The library: `Plot.lineY(points, { x: 'epoch', y: 'loss' })` makes marks. */
  readonly Plot: typeof Library
  /** Draws a chart whose top left corner is at a point of the picture. */
  chart(at: readonly [x: number, y: number], options: Library.PlotOptions): string
}

const SVG = 'http://www.w3.org/2000/svg'
const places = ['x', 'y', 'x1', 'x2', 'y1', 'y2', 'cx', 'cy', 'width', 'height', 'd', 'transform']

/** Hundredths of a pixel are enough, and the last bit of a logarithm is not the same on all machines. */
function roundPlaces(root: Element): void {
  for (const element of Array.from(root.getElementsByTagName('*')))
    for (const name of places) {
      const value = element.getAttribute(name)
      if (value?.includes('.'))
        element.setAttribute(
          name,
          value.replace(/-?\d+\.\d+/g, (number) => String(Math.round(100 * Number(number)) / 100)),
        )
    }
}

/** Loads what draws charts. */
export async function charts(): Promise<Charts> {
  const [Plot, { DOMImplementation, XMLSerializer }] = await Promise.all([import('@observablehq/plot'), import('@xmldom/xmldom')])
  const document = new DOMImplementation().createDocument(SVG, 'svg')
  return {
    Plot,
    chart([x, y], options) {
      // Here are no types of pages: Plot's result is one of them, and XML's is another.
      const root: Element = Plot.plot({ ...options, document } as object)
      roundPlaces(root)
      // The picture has a style of its own. Plot's is for pages.
      const parts = Array.from(root.childNodes).filter((node) => node.nodeName !== 'style')
      const group = document.createElementNS(SVG, 'g')
      group.setAttribute('transform', `translate(${x},${y})`)
      group.setAttribute('text-anchor', 'middle')
      for (const part of parts) group.appendChild(part)
      return new XMLSerializer().serializeToString(group).replace(` xmlns="${SVG}"`, '').replaceAll('><g', '>\n<g')
    },
  }
}

/** Lines of the grid at the ticks of y, with their numbers beside them. */
export const gridY = ({ Plot }: Charts, options: Library.GridYOptions & Library.AxisYOptions): Library.Markish[] => [
  Plot.gridY({ stroke: 'var(--line)', strokeOpacity: 1, ticks: options.ticks }),
  Plot.axisY({ tickSize: 0, label: null, ...options }),
]
