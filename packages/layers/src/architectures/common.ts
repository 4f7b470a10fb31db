/** Shared by the architectures: their options, the input, the classifier at the end, and small layers. */
import { ValueError } from '@cotangent/core'
import { requireBoolean, requireChoice, requireNumber, requireWhole } from '@cotangent/core/arguments'
import type { ActivationIdentifier } from '../activations.js'
import { input } from '../graph/input.js'
import type { SymbolicTensor } from '../graph/symbolic-tensor.js'
import type { Layer } from '../layer.js'
import { type BatchNormalization, batchNormalization } from '../layers/normalization/batch-normalization.js'
import { globalAveragePooling2d, globalMaxPooling2d } from '../layers/pooling/global-pooling.js'
import type { GraphModel } from '../models/graph-model.js'
import { model } from '../models/graph-model.js'
import type { ModelOptions } from '../models/model-types.js'
import { readOptions } from '../spelling/names.js'

/** Options of all architectures, as in keras.applications. */
export interface ArchitectureOptions extends ModelOptions {
  /** The shape of an image, [height, width, channels], sides at least 32; null for open sides where there is no classifier. */
  inputShape?: readonly (number | null)[]
  /** Whether the classifier is at the end; true by default. */
  includeTop?: boolean
  /** The number of classes of the classifier; 1000 by default. */
  classes?: number
  /** Without the classifier: the mean or the largest value of each channel; by default the output has its rows and columns. */
  pooling?: 'avg' | 'max' | null
  /** The activation of the classifier; 'softmax' by default, null for none. */
  classifierActivation?: ActivationIdentifier | null
}

/** Options of MobileNets. */
export interface WidthOptions extends ArchitectureOptions {
  /** The width: a factor for the number of filters; 1 by default. */
  alpha?: number
}

/** The options with defaults. */
export type Read<Options> = Options & {
  readonly inputShape: readonly (number | null)[]
  readonly includeTop: boolean
  readonly classes: number
  readonly pooling: 'avg' | 'max' | null
  readonly classifierActivation: ActivationIdentifier
  readonly modelOptions: ModelOptions
}

/**
 * Reads options.
 *
 * @param own options beyond the shared ones, with their defaults; numbers are at least 0
 * @param openInput whether rows and columns are open by default, also with the classifier
 */
export function readArchitecture<Own extends object>(
  what: string,
  given: (ArchitectureOptions & Partial<Own>) | undefined,
  own: Own,
  openInput = false,
): Read<ArchitectureOptions & Own> {
  const shared = {
    inputShape: undefined as ArchitectureOptions['inputShape'],
    includeTop: true,
    classes: 1000,
    pooling: null as 'avg' | 'max' | null,
    classifierActivation: 'softmax' as ActivationIdentifier | null,
  }
  const ofModel: ModelOptions = { name: undefined, trainable: undefined, seed: undefined, dtype: undefined, backend: undefined }
  const numbers = Object.entries(own).filter(([, value]) => typeof value === 'number')
  const options = readOptions(
    what,
    given,
    { ...shared, ...ofModel, ...own } as ArchitectureOptions & ModelOptions & Own,
    {
      includeTop: requireBoolean,
      classes: (of: string, name: string, value: unknown) => requireWhole(of, name, value, { least: 1 }),
      pooling: (of: string, name: string, value: unknown) => requireChoice(of, name, value as string, ['avg', 'max', null]),
      classifierActivation: () => {},
      ...Object.fromEntries(
        numbers.map(([name]) => [name, (of: string, at: string, value: unknown) => requireNumber(of, at, value, { least: 0 })]),
      ),
    } as never,
  )
  const { includeTop = true, classifierActivation } = options
  const inputShape = options.inputShape ?? (openInput || !includeTop ? [null, null, 3] : [224, 224, 3])
  requireImage(what, inputShape, includeTop && !openInput)
  const modelOptions = Object.fromEntries(
    Object.keys(ofModel).flatMap((name) => {
      const value = (options as Record<string, unknown>)[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
  return { ...options, inputShape, classifierActivation: classifierActivation ?? 'linear', modelOptions } as Read<ArchitectureOptions & Own>
}

function requireImage(what: string, shape: unknown, closed: boolean): void {
  const fits = Array.isArray(shape) && shape.length === 3 && Number.isInteger(shape[2]) && shape[2] > 0
  const side = (n: unknown): boolean => (n === null ? !closed : Number.isInteger(n) && (n as number) >= 32)
  if (fits && side(shape[0]) && side(shape[1])) return
  throw new ValueError(
    `${what}: inputShape must be [height, width, channels], both sides at least 32${closed ? ', and known with includeTop' : ' or null'}; got ${JSON.stringify(shape)}.`,
  )
}

/** The images that go in. */
export const image = (shape: readonly (number | null)[]): SymbolicTensor => input({ shape, name: 'input_layer' })

/** The names that Keras makes in a new process: `re_lu`, `re_lu_1`. So names depend on the model alone. */
export function keras3Names(): (name: string) => string {
  const counts = new Map<string, number>()
  return (name) => {
    const count = counts.get(name) ?? 0
    counts.set(name, count + 1)
    return count === 0 ? name : `${name}_${count}`
  }
}

/** The layers, one after the other. */
export const chain = (x: SymbolicTensor, ...layers: readonly Layer[]): SymbolicTensor => layers.reduce((y, layer) => layer.apply(y), x)

/** The channels are last in all architectures here, whatever the process' format. */
export const last = { dataFormat: 'channelsLast' } as const

/** Batch normalisation as Keras 3 has it. */
export const normalized = (name: string, options: { axis?: number; epsilon?: number; momentum?: number } = {}): BatchNormalization =>
  batchNormalization({ name, ...options, variant: 'keras3' })

/** Filters in eights, at least 8, and no less than nine tenths of v. */
export function inEights(v: number): number {
  const rounded = Math.max(8, Math.trunc((v + 4) / 8) * 8)
  return rounded < 0.9 * v ? rounded + 8 : rounded
}

/** Zeros around an image before a window of stride 2: none are left over at the end. Source: applications/imagenet_utils.py, correct_pad. */
export function paddingFor({ shape }: SymbolicTensor, window: number): [[number, number], [number, number]] {
  const half = Math.floor(window / 2)
  const even = (n: number | null): number => (shape[1] === null ? 1 : 1 - ((n as number) % 2))
  return [
    [half - even(shape[1]), half],
    [half - even(shape[2]), half],
  ]
}

/** The end without a classifier. */
export function pooled(x: SymbolicTensor, pooling: 'avg' | 'max' | null, names: { avg: string; max: string }): SymbolicTensor {
  if (pooling === null) return x
  return (pooling === 'avg' ? globalAveragePooling2d : globalMaxPooling2d)({ ...last, name: names[pooling] }).apply(x)
}

/** The model between the images and an output. */
export const modelOf = (inputs: SymbolicTensor, outputs: SymbolicTensor, name: string, options: ModelOptions): GraphModel =>
  model({ inputs, outputs, name, ...options })
