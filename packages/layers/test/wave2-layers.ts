/**
 * Runs the layer cases of golden vectors in wave2/. Each layer is made twice, from `params` by its class and from the config that Keras 3.16 wrote by the reader of
 * files, and gives the same on the reference in float64 and on wasm in float32: outputs, masks, and the gradients of inputs and weights.
 */
import { Parameter, scope, type Tensor, valueAndGrad, withBackend } from '@cotangent/core'
import { describe, expect, test } from 'vitest'
import { expectClose, type GoldenTensor, loadGolden, tensorOf } from '../../core/test/golden.js'
import { type Place, places, toleranceOf } from '../../core/test/wave2.js'
import { type Layer, type LayerOutputs, resetNames } from '../src/index.js'
import { findLayerClass } from '../src/io/custom.js'
import { isObject, type Json, type KerasObject } from '../src/io/keras-object.js'
import { keras3Config } from '../src/io/keras3-words.js'
import { originOf } from '../src/io/origin.js'
import { readLayer } from '../src/io/read-layer.js'
import { LayerWriter } from '../src/io/write-layer.js'

export interface LayerCase {
  readonly name: string
  /** The class. */
  readonly layer: string
  readonly params: Json
  readonly training?: boolean | null
  readonly keras_config?: KerasObject
  readonly weights?: readonly (GoldenTensor & { name: string; trainable: boolean })[]
  /** Those of the call in their order, their masks, and others. */
  readonly inputs: Readonly<Record<string, GoldenTensor>>
  readonly expected: Readonly<Record<string, unknown>>
}

/** Needs of a file beyond the form that its cases share. */
export interface LayerRun {
  /** The cases that are run here; all by default. A test elsewhere should run the others. */
  readonly only?: (golden: LayerCase) => boolean
  /** Entries of `params` that are no options: arguments of the call in Keras. */
  readonly notOptions?: readonly string[]
  /** Defaults of Keras 3 that differ from ours and that `params` leaves out. */
  readonly defaults?: (golden: LayerCase) => Json
  /** Options that `params` or the config cannot say, such as Keras' arguments of the call. */
  readonly options?: (golden: LayerCase) => Json
  /** Entries of `params` that are the wrapper's, where a case has `inner`; the others are the inner layer's. */
  readonly ofWrapper?: readonly string[]
  /** Inputs that the call does not get, besides masks and `grad_output`. */
  readonly notInputs?: readonly string[]
  /** Compares what is left in the layer after the call. */
  readonly after?: (layer: Layer, golden: LayerCase, close: (got: Tensor, wanted: unknown, what: string) => Promise<void>) => Promise<void>
  /** Calls the layer; its general form by default. */
  readonly call?: (layer: Layer, xs: readonly Tensor[], masks: readonly (Tensor | undefined)[], golden: LayerCase) => LayerOutputs
}

/** A config without what differs in each file of Keras. */
function compared(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(compared)
  if (typeof value === 'number') return Number(value.toPrecision(9)) // numbers of cases are rounded to nine digits
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) =>
      /^(module|registered_name|shared_object_id)$/.test(key) ? [] : [[key, compared(item)]],
    ),
  )
}

/** Makes a layer of a case. */
type Maker = (golden: LayerCase, run: LayerRun) => Layer

const classOf = (name: string): { fromConfig(config: object): Layer } => {
  const found = findLayerClass(name, {})
  if (!found) throw new Error(`There is no layer class ${name}.`)
  return found.layerClass as unknown as { fromConfig(config: object): Layer }
}

const fromParams: Maker = (golden, { notOptions = [], defaults, options, ofWrapper = ['mergeMode', 'powerIterations'] }) => {
  const { inner, ...rest } = { ...defaults?.(golden), ...golden.params }
  const given = Object.entries(rest).flatMap(([key, value]) =>
    notOptions.includes(key) ? [] : [[key, value === 'hard_sigmoid' ? 'hard_sigmoid6' : value] as const],
  )
  const pick = (ofOuter: boolean): Json => Object.fromEntries(given.filter(([key]) => ofWrapper.includes(key) === ofOuter))
  const own = inner === undefined ? Object.fromEntries(given) : { ...pick(true), layer: classOf(String(inner)).fromConfig(pick(false)) }
  return classOf(golden.layer).fromConfig({ ...own, ...options?.(golden) })
}

const fromKeras: Maker = (golden, { options }) => {
  const object = golden.keras_config as KerasObject
  const context = {
    origin: originOf('3.16.0', undefined),
    custom: {},
    beyond: { [String(object.config.name)]: options?.(golden) ?? {} },
    budget: { layers: 10 },
    readInner: () => expect.fail('no model is expected inside a layer'),
    warn: (message: string) => expect.fail(message),
  }
  return readLayer(object, context, 'the config of Keras')
}

/** Tensors of one tensor or a list. */
const listOf = (value: unknown): readonly GoldenTensor[] =>
  Array.isArray(value) ? value : value === undefined ? [] : [value as GoldenTensor]

/** Compares one layer with what the case expects. Nothing may leak. */
export async function checkLayerOf(
  layer: Layer,
  golden: LayerCase,
  place: Place,
  tolerance: ReturnType<typeof toleranceOf>,
  run: LayerRun,
): Promise<void> {
  const { backend, floats } = place
  const { inputs, expected, weights = [], training } = golden
  const before = backend.memory()
  const made: { dispose(): void }[] = [layer]
  const make = (given: GoldenTensor): Tensor => {
    const t = tensorOf(given, backend, floats)
    made.push(t)
    return t
  }
  const names = Object.keys(inputs).filter((name) => name !== 'grad_output' && !/(^|_)mask$/.test(name) && !run.notInputs?.includes(name))
  const xs = names.map((name) => {
    if (!expected[`grad_${name}`]) return make(inputs[name])
    const x = new Parameter(tensorOf(inputs[name], backend, floats))
    made.push(x)
    return x
  })
  const masks = names.map((name, i) => inputs[`${name}_mask`] ?? (i === 0 ? inputs.mask : undefined)).map((mask) => mask && make(mask))
  const call = run.call ?? ((l, tensors, given) => l.callAll(tensors, { training: training === true, masks: given }))
  layer.buildAll(
    xs.map(({ shape }) => [null, ...shape.slice(1)]),
    { key: [0, 0], dtype: floats, backend },
  )
  const ordered = [...weights.filter((w) => w.trainable), ...weights.filter((w) => !w.trainable)]
  scope(() => layer.setWeights(ordered.map((weight) => tensorOf(weight, backend, floats))))

  const followed = [...xs.filter((x) => x instanceof Parameter), ...layer.trainableWeights]
  const cotangents = listOf(inputs.grad_output).map(make)
  const results: Tensor[] = []
  let mask: Tensor | undefined
  const forward = (): Tensor[] => {
    const { outputs, masks: given } = call(layer, xs, masks, golden)
    mask = given[0]?.keep()
    results.push(...outputs.map((y) => y.keep()))
    return outputs
  }
  const grads = withBackend(backend, () =>
    scope(() => {
      if (cotangents.length === 0) return forward() && []
      const result = valueAndGrad(followed, () => {
        const sums = forward().map((y, i) => y.mul(cotangents[i]).sum())
        return sums.reduce((sum, each) => sum.add(each))
      })
      return result.grads.map((grad) => grad.keep())
    }),
  )
  const wanted = [...names.map((name) => expected[`grad_${name}`]).filter((grad) => grad !== undefined), ...listOf(expected.grad_weights)]
  const outputs = listOf(expected.output)
  expect(results.length, 'outputs').toBe(outputs.length)
  for (const [i, output] of outputs.entries()) await expectClose(results[i], output, tolerance, `output ${i}`)
  if (cotangents.length > 0) {
    expect(grads.length, 'gradients').toBe(wanted.length)
    const labels = [...names.filter((name) => expected[`grad_${name}`]), ...layer.trainableWeights.map(({ name }) => name)]
    for (const [i, grad] of wanted.entries()) await expectClose(grads[i], grad as GoldenTensor, tolerance, `gradient of ${labels[i]}`)
  }
  if (expected.mask) expect(await (mask as unknown as Tensor).data(), 'mask').toEqual(Uint8Array.from((expected.mask as GoldenTensor).data))
  await run.after?.(layer, golden, (got, want, what) => expectClose(got, want as GoldenTensor, tolerance, what))
  for (const t of new Set([...made, ...results, ...grads, ...(mask ? [mask] : [])])) t.dispose()
  expect(backend.memory(), 'leaked memory').toMatchObject({ buffers: before.buffers, bytes: before.bytes })
}

/** The tests of the layer cases of a file, such as `wave2/norm`. */
export function testLayerCases(file: string, run: LayerRun = {}): void {
  const golden = loadGolden(file)
  const all = golden.cases as unknown as readonly LayerCase[]
  const cases = all.filter(run.only ?? (() => true))
  // Wrappers are written with the layers inside them, in files only.
  const written = cases.filter(({ keras_config, params }) => keras_config?.class_name && params.inner === undefined)
  test.each(written)(`${file}: our config of $name is that of Keras, key by key`, (each) => {
    const { class_name, config } = new LayerWriter('float32', 'keras').write(fromKeras(each, run))
    expect(class_name).toBe(each.layer)
    expect(compared(keras3Config(class_name, config).config)).toEqual(compared(each.keras_config?.config))
  })
  for (const place of places) {
    describe(`${file} on ${place.name}`, () => {
      const ways: Record<string, Maker> = { 'from params': fromParams, 'from the config of Keras': fromKeras }
      describe.each(Object.entries(ways))('%s', (way, maker) => {
        test.each(cases.filter(({ keras_config }) => way === 'from params' || keras_config?.class_name))('$name', async (each) => {
          resetNames()
          await checkLayerOf(maker(each, run), each, place, toleranceOf(golden, place), run)
        })
      })
    })
  }
}
