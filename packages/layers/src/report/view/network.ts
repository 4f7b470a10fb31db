/** The network as a picture: layers as boxes, from top to bottom, each below those that it reads. */
import type { NetworkRecord } from '../record.js'
import { h, s } from './dom.js'
import { figure } from './figure.js'
import type { Stage } from './stage.js'
import { counted, num, short } from './text.js'

type LayerRow = NetworkRecord['layers'][number]

interface Box {
  /** Undefined for a place where a long edge passes. */
  layer?: LayerRow
  level: number
  /** Its place among the boxes of its level. */
  at: number
  /** The middle, in columns. */
  x: number
  above: Box[]
}

/** Puts the boxes of a level beside each other around the middle. */
function spread(row: readonly Box[]): void {
  for (const [i, box] of row.entries()) Object.assign(box, { at: i, x: i - (row.length - 1) / 2 })
}

/** Boxes by level. An edge over several levels passes through empty places, so that it crosses no box. */
export function layout(layers: readonly LayerRow[]): Box[][] {
  const boxes = new Map<string, Box>()
  const levels: Box[][] = []
  const put = (box: Box): Box => {
    levels[box.level] ??= []
    box.at = levels[box.level].length
    levels[box.level].push(box)
    return box
  }
  for (const layer of layers) {
    const sources = layer.from.flatMap((name) => boxes.get(name) ?? [])
    const level = sources.length === 0 ? 0 : 1 + Math.max(...sources.map((source) => source.level))
    const above = sources.map((source) => {
      let from = source
      for (let between = source.level + 1; between < level; between++) from = put({ level: between, at: 0, x: 0, above: [from] })
      return from
    })
    boxes.set(layer.name, put({ layer, level, at: 0, x: 0, above }))
  }
  // Each box goes near the middle of those above it; a few passes suffice for networks.
  for (const row of levels) spread(row)
  for (let pass = 0; pass < 4; pass++)
    for (const row of levels) {
      const want = (box: Box): number => (box.above.length === 0 ? box.x : box.above.reduce((sum, { x }) => sum + x, 0) / box.above.length)
      row.sort((a, b) => want(a) - want(b) || a.at - b.at)
      spread(row)
    }
  return levels
}

const [WIDTH, HEIGHT, GAP_X, GAP_Y] = [226, 48, 18, 26]

export function drawNetwork(layers: readonly LayerRow[], stage: Stage): SVGSVGElement {
  const { theme } = stage
  const levels = layout(layers)
  const columns = Math.max(1, ...levels.map((row) => row.length))
  const width = columns * (WIDTH + GAP_X) + GAP_X
  const height = Math.max(1, levels.length) * (HEIGHT + GAP_Y)
  const middle = ({ x }: Box): number => width / 2 + x * (WIDTH + GAP_X)
  const top = ({ level }: Box): number => 4 + level * (HEIGHT + GAP_Y)
  const all = levels.flat()
  const edge = (from: Box, to: Box): SVGPathElement => {
    const [x0, x1, y0, y1] = [middle(from), middle(to), top(from) + HEIGHT, top(to)]
    const bend = (y0 + y1) / 2
    const through = from.layer ? '' : `M${x0},${top(from)}V${y0}`
    return s('path', {
      d: `${through}M${x0},${y0}C${x0},${bend} ${x1},${bend} ${x1},${y1}`,
      fill: 'none',
      stroke: theme.muted,
      'stroke-width': 1.5,
      'marker-end': to.layer ? 'url(#arrow)' : undefined,
    })
  }
  const box = (b: Box, layer: LayerRow): SVGGElement => {
    const [x, y] = [middle(b) - WIDTH / 2, top(b)]
    const parameters = layer.parameters === 0 ? '' : `${num(layer.parameters)} weights${layer.trainable ? '' : ', frozen'}`
    return s(
      'g',
      {},
      s('title', {}, `${layer.name} (${layer.type}), ${layer.outputShape}${parameters && `, ${parameters}`}`),
      s('rect', {
        x,
        y,
        width: WIDTH,
        height: HEIGHT,
        rx: 7,
        fill: layer.parameters > 0 ? theme.ramp[0] : theme.card,
        stroke: layer.parameters > 0 ? theme.accent : theme.muted,
        'stroke-width': 1.5,
        'stroke-dasharray': layer.trainable ? undefined : '5 3',
      }),
      s('text', { x: x + 10, y: y + 19, fill: theme.ink, 'font-size': 12.5, 'font-weight': 600 }, short(`${layer.type} ${layer.name}`, 25)),
      s(
        'text',
        { x: x + 10, y: y + 37, fill: theme.muted, 'font-size': 11 },
        short([layer.outputShape, parameters].filter(Boolean).join(' · '), 34),
      ),
    )
  }
  return s(
    'svg',
    { width, height, viewBox: `0 0 ${width} ${height}`, 'font-family': 'system-ui, sans-serif' },
    s(
      'defs',
      {},
      s(
        'marker',
        { id: 'arrow', viewBox: '0 0 8 8', refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: 'auto' },
        s('path', { d: 'M0,0L8,4L0,8Z', fill: theme.muted }),
      ),
    ),
    all.flatMap((to) => to.above.map((from) => edge(from, to))),
    all.flatMap((each) => (each.layer ? [box(each, each.layer)] : [])),
  )
}

export function networkPart(stage: Stage, network: NetworkRecord): HTMLElement {
  const { layers, optimizer, loss, metrics, summary } = network
  const parameters = layers.reduce((sum, layer) => sum + layer.parameters, 0)
  const settings = Object.entries(optimizer?.settings ?? {}).map(([name, value]) => `${name} ${value}`)
  const said = [
    optimizer && `Optimizer: ${optimizer.name}${settings.length > 0 ? ` (${settings.join(', ')})` : ''}.`,
    loss !== undefined && `Loss: ${loss}.`,
    metrics.length > 0 && `Metrics: ${metrics.join(', ')}.`,
  ].filter(Boolean)
  const picture = figure(stage, {
    title: 'Layers',
    scroll: true,
    sentence: () =>
      `A network of ${counted(layers.length, 'layer')} with ${counted(parameters, 'weight')}: ${short(layers.map(({ type }) => type).join(', '), 300)}.`,
    draw(available) {
      const plot = drawNetwork(layers, stage)
      const width = Number(plot.getAttribute('width'))
      // A little smaller is better than scrolled; much smaller cannot be read.
      if (width > available && available / width > 0.66) plot.style.width = `${available}px`
      return { plot }
    },
    table: () => ({
      columns: ['layer', 'type', 'output shape', 'parameters', 'trainable', 'reads'],
      rows: layers.map((layer) => [
        layer.name,
        layer.type,
        layer.outputShape,
        layer.parameters,
        layer.parameters === 0 ? '' : layer.trainable ? 'yes' : 'no',
        layer.from.join(', '),
      ]),
    }),
  })
  return h(
    'section',
    {},
    h('h2', {}, 'Network'),
    said.length > 0 && h('p', {}, said.join(' ')),
    h(
      'div',
      { class: 'cards' },
      picture.element,
      h(
        'div',
        { class: 'card' },
        h('h3', {}, 'Summary'),
        h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Summary of the network' }, h('pre', {}, summary)),
      ),
    ),
  )
}
