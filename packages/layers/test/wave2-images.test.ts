/** Golden vectors of layers of images: sizes through the layers, and what training does through the functions that get the numbers drawn. */
import type { FillMode, Tensor } from '@cotangent/core'
import { affineTransform } from '@cotangent/core'
import { describe, expect, test } from 'vitest'
import { type GoldenTensor, loadGolden } from '../../core/test/golden.js'
import { checkCase, places, toleranceOf } from '../../core/test/wave2.js'
import { move, turn, zoom } from '../src/layers/images/random-affine.js'
import { brightened, contrasted } from '../src/layers/images/random-color.js'
import { type FlipMode, flipped } from '../src/layers/images/random-flip.js'
import { type LayerCase, testLayerCases } from './wave2-layers.js'

const isRandom = ({ layer }: { layer: string }): boolean => layer.startsWith('Random')
testLayerCases('wave2/image_layers', { only: (golden) => !isRandom(golden) })

type Drawn = { flips: number[]; factors: number[]; valueRange: [number, number]; mode: FlipMode }
const functions: Record<string, (x: Tensor, params: Drawn) => Tensor> = {
  RandomFlip: (x, { mode, flips }) => flipped(x, mode, flips.map(Boolean)),
  RandomContrast: (x, { factors, valueRange }) => contrasted(x, factors, valueRange),
  RandomBrightness: (x, { factors, valueRange }) => brightened(x, factors, valueRange),
}
const layers = loadGolden('wave2/image_layers')
const random = (layers.cases as unknown as LayerCase[]).filter(isRandom)
const affine = loadGolden('wave2/affine')
type Given = { layer?: string; angles: number[]; zooms: [number, number][]; translations: [number, number][] } & {
  fillMode: FillMode
  fillValue: number
  interpolation: 'bilinear'
}
const numbers: Record<string, (params: Given, size: [number, number]) => number[][]> = {
  RandomRotation: ({ angles }, size) => angles.map((angle) => turn(angle, size)),
  RandomZoom: ({ zooms }, size) => zooms.map((pair) => zoom(pair, size)),
  RandomTranslation: ({ translations }) => translations.map(([right, down]) => move(right, down)),
}
const turned = affine.cases.filter(({ params }) => Object.hasOwn(numbers, String(params.layer)))

test('each layer with draws is here', () => {
  expect(new Set(random.map(({ layer }) => layer))).toEqual(new Set(Object.keys(functions)))
  expect(turned.length).toBe(affine.cases.length - 1)
})

describe.each(places)('on $name', (place) => {
  test.each(random.map((each) => [each.name, each] as const))('%s', async (_, { layer, params, inputs, expected }) => {
    await checkCase(place, toleranceOf(layers, place), [inputs.x], (x) => functions[layer](x, params as unknown as Drawn), {
      output: expected.output as GoldenTensor,
    })
  })
  test.each(turned)('$name', async ({ params, inputs, expected }) => {
    const given = params as unknown as Given
    const size: [number, number] = [inputs.x.shape[1], inputs.x.shape[2]]
    const made = numbers[String(given.layer)](given, size)
    for (const [i, row] of made.entries())
      for (const [j, value] of row.entries()) expect(value).toBeCloseTo((params.transforms as number[][])[i][j], 8)
    const { fillMode, fillValue, interpolation } = given
    const run = (x: Tensor): Tensor => affineTransform(x, made, { fillMode, fillValue, interpolation })
    // The file's own numbers have ten digits.
    const { rtol } = toleranceOf(affine, place)
    const tolerance = { atol: place.floats === 'float64' ? 1e-7 : 1e-5, rtol }
    await checkCase(place, tolerance, [inputs.x], run, { output: expected.output })
  })
})
