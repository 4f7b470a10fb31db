/** Classes and functions that are not this package's, by the names that files call them. */
import { ValueError } from '@cotangent/core'
import { requireText } from '@cotangent/core/arguments'
import { Layer } from '../layer.js'
import * as layers from '../layers/index.js'

/** A layer class that can be made from its config. */
export interface LayerClass {
  readonly name: string
  readonly prototype: Layer
  fromConfig(config: never): Layer
}

/** Layer classes; and functions, for activations, losses, metrics, initializers, regularizers and constraints. */
export type CustomObjects = Readonly<Record<string, unknown>>

const isLayerClass = (value: unknown): value is LayerClass =>
  typeof value === 'function' && value.prototype instanceof Layer && typeof (value as { fromConfig?: unknown }).fromConfig === 'function'

/** The layers of this package by Keras' class names, which are those of the exports: a bundler may rename the classes themselves. */
const known: ReadonlyMap<string, LayerClass> = new Map(
  Object.entries(layers).flatMap(([name, value]): [string, LayerClass][] => (isLayerClass(value) ? [[name, value]] : [])),
)

/** Names that Keras had for the same class, or that do the same here. */
export const layerAliases: Readonly<Record<string, string>> = {
  MaxPool1D: 'MaxPooling1D',
  MaxPool2D: 'MaxPooling2D',
  AvgPool1D: 'AveragePooling1D',
  AvgPool2D: 'AveragePooling2D',
  GlobalMaxPool1D: 'GlobalMaxPooling1D',
  GlobalMaxPool2D: 'GlobalMaxPooling2D',
  GlobalAvgPool1D: 'GlobalAveragePooling1D',
  GlobalAvgPool2D: 'GlobalAveragePooling2D',
  Convolution1D: 'Conv1D',
  Convolution2D: 'Conv2D',
  AtrousConvolution1D: 'Conv1D',
  AtrousConvolution2D: 'Conv2D',
  Deconvolution2D: 'Conv2DTranspose',
  Convolution2DTranspose: 'Conv2DTranspose',
  SeparableConvolution2D: 'SeparableConv2D',
  BatchNormalizationV1: 'BatchNormalization',
  BatchNormalizationV2: 'BatchNormalization',
  CuDNNLSTM: 'LSTM',
  CuDNNGRU: 'GRU',
}

const registered = new Map<string, LayerClass>()

/**
 * Makes a layer class of one's own known to everything that reads models, as `customObjects` does for a single call. It needs a static
 * `fromConfig` that takes what its `getConfig` gives.
 *
 * @param name what files call it (the layer's `className`); the class's name if left out, which minifiers change
 * @throws ValueError for a class without `fromConfig`.
 */
export function registerLayer(layerClass: LayerClass, name = layerClass.name): void {
  if (!isLayerClass(layerClass))
    throw new ValueError(`registerLayer: "${name}" must be a class of layers with a static fromConfig(config).`)
  requireText('registerLayer', 'name', name)
  registered.set(name, layerClass)
}

/** The class that a file means; `className` is its name if it is one of this package's. */
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

/** Whether a class is one of this package's, which Keras has, too. */
export const isKerasLayer = (className: string): boolean => known.has(className)

/** The names of the layers that can be read. */
export const layerClassNames = (): string[] => [...known.keys(), ...registered.keys()].sort()

/** A function of the user's by name. */
export function customFunction(name: string, custom: CustomObjects): ((...args: never[]) => unknown) | undefined {
  const found = Object.hasOwn(custom, name) ? custom[name] : undefined
  return typeof found === 'function' ? (found as (...args: never[]) => unknown) : undefined
}
