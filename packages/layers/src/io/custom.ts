/** Classes and functions of the user's, by the names that files have for them. */
import { ValueError } from '@cotangent/core'
import { requireText } from '@cotangent/core/arguments'
import { Layer } from '../layer.js'
import * as layers from '../layers/index.js'

/** A layer class with a static `fromConfig`, which makes a layer of the result of its `getConfig`. */
export interface LayerClass {
  readonly name: string
  readonly prototype: Layer
  fromConfig(config: never): Layer
}

/**
 * The user's classes and functions by the names in files: layer classes; functions for activations, losses, metrics, initializers, regularizers and
 * constraints.
 */
export type CustomObjects = Readonly<Record<string, unknown>>

const isLayerClass = (value: unknown): value is LayerClass =>
  typeof value === 'function' && value.prototype instanceof Layer && typeof (value as { fromConfig?: unknown }).fromConfig === 'function'

/** The layers of this package by Keras' class names. The names of the exports are used, because a bundler may rename the classes themselves. */
const known: ReadonlyMap<string, LayerClass> = new Map(
  Object.entries(layers).flatMap(([name, value]): [string, LayerClass][] => (isLayerClass(value) ? [[name, value]] : [])),
)

/** Other names that Keras had for a class, or for one that does the same here. */
export const layerAliases: Readonly<Record<string, string>> = {
  MaxPool1D: 'MaxPooling1D',
  MaxPool2D: 'MaxPooling2D',
  MaxPool3D: 'MaxPooling3D',
  AvgPool1D: 'AveragePooling1D',
  AvgPool2D: 'AveragePooling2D',
  AvgPool3D: 'AveragePooling3D',
  GlobalMaxPool1D: 'GlobalMaxPooling1D',
  GlobalMaxPool2D: 'GlobalMaxPooling2D',
  GlobalMaxPool3D: 'GlobalMaxPooling3D',
  GlobalAvgPool1D: 'GlobalAveragePooling1D',
  GlobalAvgPool2D: 'GlobalAveragePooling2D',
  GlobalAvgPool3D: 'GlobalAveragePooling3D',
  Convolution1D: 'Conv1D',
  Convolution2D: 'Conv2D',
  Convolution3D: 'Conv3D',
  AtrousConvolution1D: 'Conv1D',
  AtrousConvolution2D: 'Conv2D',
  Deconvolution2D: 'Conv2DTranspose',
  Convolution2DTranspose: 'Conv2DTranspose',
  Convolution1DTranspose: 'Conv1DTranspose',
  Convolution3DTranspose: 'Conv3DTranspose',
  SeparableConvolution1D: 'SeparableConv1D',
  SeparableConvolution2D: 'SeparableConv2D',
  BatchNormalizationV1: 'BatchNormalization',
  BatchNormalizationV2: 'BatchNormalization',
  GroupedQueryAttention: 'GroupQueryAttention', // so in .h5 files of Keras 3
  CuDNNLSTM: 'LSTM',
  CuDNNGRU: 'GRU',
}

const registered = new Map<string, LayerClass>()

/**
 * Registers a layer class of yours, so that every function that reads models knows it. `customObjects` does that for a single call. The class needs a static
 * `fromConfig` that takes the result of its `getConfig`.
 *
 * @param name the name in files, which is the layer's `className`. By default the name of the class, which minifiers change
 * @throws ValueError for a class without `fromConfig`
 * @example
 * ```ts
 * class Twice extends Layer {
 *   readonly className = 'Twice'
 *   constructor(options: LayerOptions = {}) {
 *     super('Twice', options, [])
 *   }
 *   static fromConfig(config: LayerOptions) {
 *     return new Twice(config)
 *   }
 *   outputShape(inputShape: BatchShape) {
 *     return inputShape
 *   }
 *   call(x: Tensor) {
 *     return x.mul(2)
 *   }
 * }
 * registerLayer(Twice)
 * const saved = modelToJSON(new Sequential([new Twice({ inputShape: [3] })]))
 * console.log(modelFromJSON(saved).layers[0].className)   // Twice
 * ```
 */
export function registerLayer(layerClass: LayerClass, name = layerClass.name): void {
  if (!isLayerClass(layerClass))
    throw new ValueError(`registerLayer: "${name}" must be a class of layers with a static fromConfig(config).`)
  requireText('registerLayer', 'name', name)
  registered.set(name, layerClass)
}

/** The class that a name in a file means; `className` is its name if it is this package's. */
export function findLayerClass(name: string, custom: CustomObjects): { layerClass: LayerClass; className?: string } | undefined {
  const given = Object.hasOwn(custom, name) ? custom[name] : registered.get(name)
  if (given !== undefined) {
    if (!isLayerClass(given)) throw new ValueError(`customObjects: "${name}" must be a class of layers with a static fromConfig(config).`)
    return { layerClass: given }
  }
  const className = Object.hasOwn(layerAliases, name) ? layerAliases[name] : name
  const layerClass = known.get(className)
  return layerClass && { layerClass, className }
}

/** Whether a class is one of this package's, and so of Keras'. */
export const isKerasLayer = (className: string): boolean => known.has(className)

/** The names of all layers that can be read. */
export const layerClassNames = (): string[] => [...known.keys(), ...registered.keys()].sort()

/** The user's function of that name. */
export function customFunction(name: string, custom: CustomObjects): ((...args: never[]) => unknown) | undefined {
  const found = Object.hasOwn(custom, name) ? custom[name] : undefined
  return typeof found === 'function' ? (found as (...args: never[]) => unknown) : undefined
}
