/** The tape as a graph: values flow downward. A layered layout: a node lies below all that it is made of, and layers are ordered so that few edges cross. */
import type { Recorded } from './data.js'

export interface Node {
  /** The row, or undefined for a source or constant. */
  readonly row?: number
  readonly tensor: number
  readonly x: number
  readonly y: number
}

export interface Edge {
  /** The tensor that flows, and the rows that make and use it. */
  readonly tensor: number
  readonly from?: number
  readonly to: number
  /** From the node above to the one below; between them the places where the edge passes layers. */
  readonly points: readonly (readonly [number, number])[]
}

export interface Graph {
  readonly nodes: readonly Node[]
  readonly edges: readonly Edge[]
  readonly width: number
  readonly height: number
}

export const WIDE = 104
export const HIGH = 40
const ACROSS = 16
const DOWN = 26
/** The width of an edge that passes a layer. */
const PASSING = 20
/** Larger graphs are no reading matter; the list shows all. */
export const MOST = 150

interface Place {
  readonly layer: number
  readonly width: number
  readonly row?: number
  readonly tensor: number
  readonly above: Place[]
  readonly below: Place[]
  x: number
}

const mean = (places: readonly Place[]): number | undefined =>
  places.length === 0 ? undefined : places.reduce((sum, { x }) => sum + x, 0) / places.length

/** Puts the places of a layer side by side, as near to where they want to be as there is room. */
function settle(layer: readonly Place[], wanted: readonly number[]): void {
  // Neighbours that would overlap become a block, which lies where its members want to be on average.
  const blocks: { at: number; count: number; width: number; members: Place[] }[] = []
  layer.forEach((place, i) => {
    let block = { at: wanted[i] - place.width / 2, count: 1, width: place.width + ACROSS, members: [place] }
    for (let last = blocks.at(-1); last && last.at + last.width > block.at; last = blocks.at(-1)) {
      blocks.pop()
      const count = last.count + block.count
      const at = (last.at * last.count + (block.at - last.width) * block.count) / count
      block = { at, count, width: last.width + block.width, members: [...last.members, ...block.members] }
    }
    blocks.push(block)
  })
  for (const { at, members } of blocks) {
    let left = at
    for (const place of members) {
      place.x = left + place.width / 2
      left += place.width + ACROSS
    }
  }
}

export function layoutOf({ rows, tensors }: Recorded): Graph {
  const made = new Map(rows.map(({ output }, row) => [output, row]))
  // A number alone, such as the 4 in a division by 4, needs no node.
  const drawn = (tensor: number): boolean => made.has(tensor) || tensors[tensor].source || tensors[tensor].shape.length > 0
  const layers: number[] = []
  rows.forEach(({ inputs }, row) => {
    layers[row] = Math.max(0, ...inputs.map((input) => (made.has(input) ? layers[made.get(input) as number] : 0))) + 1
  })
  const all: Place[] = []
  const place = (layer: number, width: number, tensor: number, row?: number): Place => {
    const made: Place = { layer, width, row, tensor, above: [], below: [], x: all.length * 10 }
    all.push(made)
    return made
  }
  const ofRow = rows.map(({ output }, row) => place(layers[row], WIDE, output, row))
  const leaves = new Map<number, Place>()
  const chains: { tensor: number; from?: number; to: number; chain: Place[] }[] = []
  rows.forEach(({ inputs }, row) => {
    for (const tensor of new Set(inputs)) {
      if (!drawn(tensor)) continue
      const from = made.get(tensor)
      if (from === undefined && !leaves.has(tensor)) {
        const users = rows.flatMap(({ inputs }, i) => (inputs.includes(tensor) ? [layers[i]] : []))
        leaves.set(tensor, place(Math.min(...users) - 1, WIDE, tensor))
      }
      const chain = [from === undefined ? (leaves.get(tensor) as Place) : ofRow[from]]
      for (let layer = chain[0].layer + 1; layer < layers[row]; layer++) chain.push(place(layer, PASSING, tensor))
      chain.push(ofRow[row])
      for (let i = 1; i < chain.length; i++) {
        chain[i].above.push(chain[i - 1])
        chain[i - 1].below.push(chain[i])
      }
      chains.push({ tensor, from, to: row, chain })
    }
  })
  const byLayer: Place[][] = Array.from({ length: Math.max(0, ...layers) + 1 }, () => [])
  for (const each of all) byLayer[each.layer].push(each)
  for (let sweep = 0; sweep < 12; sweep++) {
    const down = sweep % 2 === 0
    for (const layer of down ? byLayer : [...byLayer].reverse()) {
      const wanted = new Map(layer.map((each) => [each, mean(down ? each.above : each.below) ?? each.x]))
      layer.sort((a, b) => (wanted.get(a) as number) - (wanted.get(b) as number))
      settle(
        layer,
        layer.map((each) => wanted.get(each) as number),
      )
    }
  }
  const left = Math.min(...all.map(({ x, width }) => x - width / 2)) - 8
  const width = Math.max(...all.map(({ x, width }) => x + width / 2)) + 8 - left
  const yOf = (layer: number): number => 8 + HIGH / 2 + layer * (HIGH + DOWN)
  return {
    nodes: [...ofRow, ...leaves.values()].map(({ row, tensor, x, layer }) => ({ row, tensor, x: x - left, y: yOf(layer) })),
    edges: chains.map(({ tensor, from, to, chain }) => ({
      tensor,
      from,
      to,
      points: chain.map(({ x, layer }) => [x - left, yOf(layer)] as const),
    })),
    width,
    height: yOf(byLayer.length - 1) + HIGH / 2 + 8,
  }
}

/** The path of an edge: from the lower side of a node to the upper side of another. */
export function pathOf({ points }: Edge): string {
  const places = points.map(([x, y], i) => [x, i === 0 ? y + HIGH / 2 : i === points.length - 1 ? y - HIGH / 2 : y] as const)
  return places.reduce((path, [x, y], i) => {
    if (i === 0) return `M${x},${y}`
    const [x0, y0] = places[i - 1]
    const half = (y0 + y) / 2
    return `${path}C${x0},${half} ${x},${half} ${x},${y}`
  }, '')
}
