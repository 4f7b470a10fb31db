/** Recurrent networks and networks for texts, in a small size: our libraries learn them, and installed peers compute the same. */
import { describe, expect, test } from 'vitest'
import { type Adapter, type LibraryName, libraryEntry } from './adapter.js'
import { type Contestant, startContestant } from './contestant.js'
import { cotangent } from './libraries/cotangent.js'
import { cotangentCore } from './libraries/cotangent-core.js'
import { type LayerSpec, models, type TrainWorkload } from './networks.js'
import { howToInstall, peerVersions } from './peers.js'
import { glorotLimit, placed } from './placed.js'
import { batchesOf } from './random.js'

const row = (name: string): TrainWorkload => models.find((each) => each.name === name) as TrainWorkload

/** A network of the table, with sequences and layers of a fraction of the size. */
function small(name: string): TrainWorkload {
  const whole = row(name)
  const layers = whole.layers.map((layer): LayerSpec => {
    switch (layer.type) {
      case 'embedding':
        return { ...layer, vocabulary: 60, size: 8 }
      case 'lstm':
      case 'simpleRnn':
        return { ...layer, units: 12 }
      case 'conv1d':
        return { ...layer, filters: 8, size: 3 }
      default:
        return layer
    }
  })
  const inputShape = whole.inputShape.map((size, axis) => (axis === 0 ? 24 : Math.min(size, 10)))
  return { ...whole, inputShape, layers, batch: 100 }
}

const recurrent = ['lstm-256', 'lstm-512', 'imdb-lstm', 'imdb-simple-rnn', 'imdb-conv1d', 'jena-lstm', 'jena-bidirectional']
describe('shapes', () => {
  test('of the layers', () => {
    const outputs = (name: string) => placed(row(name)).map(({ output }) => output.join('×'))
    expect(outputs('lstm-256')).toEqual(['256', '10'])
    expect(outputs('imdb-simple-rnn')).toEqual(['500×32', '32', '1'])
    expect(outputs('imdb-conv1d')).toEqual(['500×128', '494×32', '98×32', '92×32', '32', '1'])
    expect(outputs('jena-bidirectional')).toEqual(['64', '1'])
  })

  test('of the weights, and the limit of their distribution', () => {
    const [lstm] = placed(row('jena-lstm'))
    expect([lstm.kernel, lstm.recurrent]).toEqual([
      [14, 128],
      [32, 128],
    ])
    expect(glorotLimit([14, 128])).toBeCloseTo(Math.sqrt(6 / 142), 12)
    expect(glorotLimit([5, 5, 32, 48])).toBeCloseTo(Math.sqrt(6 / (25 * 80)), 12)
  })

  test('an embedding can only be the first layer', () => {
    const layers = row('imdb-lstm').layers
    expect(() => placed({ inputShape: [500], layers: [{ type: 'flatten' }, ...layers] })).toThrow('can only be the first')
    expect(() => placed({ inputShape: [28, 28], layers })).toThrow('"embedding" cannot stand on [28, 28]')
  })
})

describe('data', () => {
  test('words are whole numbers of the vocabulary, even in one kind of text and odd in the other', () => {
    const workload = small('imdb-lstm')
    const [{ x, y }] = batchesOf(workload, 7)
    expect(x).toBeInstanceOf(Int32Array)
    expect(Math.min(...x)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...x)).toBeLessThan(60)
    expect(new Set(y)).toEqual(new Set([0, 1]))
    const texts = Array.from(y, (_, i) => [...x.subarray(i * 24, (i + 1) * 24)])
    for (const text of texts) expect(new Set(text.map((word) => word % 2)).size).toBe(1)
    const agreeing = texts.filter((text, i) => text[0] % 2 === y[i]).length
    expect(agreeing).toBeGreaterThan(75) // nine labels of ten on average
    expect(agreeing).toBeLessThan(100)
  })

  test('measurements come with a target in [−1, 1), and large samples make a small pool', () => {
    const [{ x, y }] = batchesOf(small('jena-lstm'), 7)
    expect(x).toHaveLength(100 * 24 * 10)
    expect(y.every((target) => target >= -1 && target < 1)).toBe(true)
    expect(new Set(y).size).toBeGreaterThan(90)
    expect(batchesOf({ ...row('jena-lstm'), batch: 1000 }, 7)).toHaveLength(3)
  })
})

const withoutDropout = (workload: TrainWorkload): TrainWorkload => ({
  ...workload,
  layers: workload.layers.map((layer) => (layer.type === 'lstm' ? { ...layer, dropout: 0, recurrentDropout: 0 } : layer)),
})

/** The losses of the first steps, from constant weights. */
async function losses(prepared: { run(): Promise<number> }): Promise<number[]> {
  const all: number[] = []
  for (let step = 0; step < 3; step++) all.push(await prepared.run())
  return all
}
const fromConstants = (name: string): TrainWorkload => ({ ...withoutDropout(small(name)), batch: 16, constantWeights: 0.1 })
async function lossesOfOurs(make: () => Adapter, name: string): Promise<number[]> {
  const prepared = await make().prepare(fromConstants(name), 7)
  const found = await losses({ run: async () => Number(await prepared.run(1)) })
  prepared.dispose()
  return found
}
/** The first loss is the forward pass alone; the later ones also depend on gradients and the optimizer. */
function expectAlike(found: readonly number[], expected: readonly number[], tolerance = 1e-4): void {
  for (const [i, loss] of found.entries()) expect(Math.abs(loss / expected[i] - 1)).toBeLessThan(i === 0 ? 1e-5 : tolerance)
}

describe('training', () => {
  test.each(recurrent)('ours learn %s', async (name) => {
    for (const make of [cotangent, cotangentCore]) {
      const prepared = await make().prepare(small(name), 7)
      const first = Number(await prepared.run(1))
      expect(Number(await prepared.run(200))).toBeLessThan(first * 0.8)
      prepared.dispose()
    }
  })

  test.each(recurrent)('%s has the same losses in both of ours from the same weights', async (name) => {
    expectAlike(await lossesOfOurs(cotangentCore, name), await lossesOfOurs(cotangent, name))
  })

  test('both kinds of dropout of a recurrent layer change what it computes', async () => {
    const { layers, ...rest } = fromConstants('jena-lstm')
    for (const dropped of ['dropout', 'recurrentDropout']) {
      const adapted = layers.map((layer) => (layer.type === 'lstm' ? { ...layer, [dropped]: 0.5 } : layer))
      for (const make of [cotangent, cotangentCore]) {
        const prepared = await make().prepare({ ...rest, layers: adapted }, 7)
        expect(Number(await prepared.run(1))).not.toBe((await lossesOfOurs(make, 'jena-lstm'))[0])
        prepared.dispose()
      }
    }
  })
})

interface PeerCase {
  library: LibraryName
  tolerance?: number
  /** The networks for which it has no gradient, and its words about them. */
  refused?: string[]
  words?: string
}
const tolerance = 1e-2 // its RMSprop adds epsilon under the square root
const peers: PeerCase[] = [
  { library: 'torch-1' },
  { library: 'tfjs-cpu', tolerance },
  { library: 'tfjs-wasm', tolerance, refused: ['imdb-lstm', 'imdb-simple-rnn', 'imdb-conv1d'], words: "not registered for backend 'wasm'" },
  { library: 'jax', refused: ['imdb-conv1d'], words: 'scatter' },
]
describe.each(peers)('$library', ({ library, tolerance, refused = [], words }) => {
  const { peer = '' } = libraryEntry(library)
  const absent = peerVersions(peer) === undefined
  test.skipIf(absent)(
    `has our losses from the same weights${absent ? ` (skipped: ${howToInstall(peer)})` : ''}`,
    { timeout: 120_000 },
    async () => {
      const contestant: Contestant = await startContestant(library)
      try {
        for (const name of recurrent) {
          const steps = async (): Promise<number[]> => {
            await contestant.prepare(fromConstants(name), 7)
            return losses({ run: async () => (await contestant.run(1)).value })
          }
          if (refused.includes(name)) await expect(steps(), name).rejects.toThrow(words)
          else expectAlike(await steps(), await lossesOfOurs(cotangent, name), tolerance)
        }
      } finally {
        contestant.close()
      }
    },
  )
})
