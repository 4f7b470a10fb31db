/** Batches that the user makes: an iterable or async iterable. */
import { Tensor } from '@cotangent/core'
import type { ModelData } from './data.js'

/** One batch from an iterable: inputs, targets, and perhaps factors of the samples' losses. Tensors in it stay the user's. */
export type BatchData = readonly [x: ModelData, y: ModelData, sampleWeight?: ModelData]

/**
 * An iterable of batches: an array, a generator, or any other iterable or async iterable.
 *
 * @example
 * ```ts
 * function* windows() {
 *   for (let i = 0; ; i = (i + 16) % 64) yield [x.slice([i, 0], [16, 8]), y.slice([i, 0], [16, 4])] as const
 * }
 * const { epoch } = await model.fit(windows(), { stepsPerEpoch: 4, epochs: 2, verbose: 0 })
 * console.log(epoch)   // [0, 1]
 * ```
 */
export type BatchSource = Iterable<BatchData> | AsyncIterable<BatchData>

/** The iterator of a `BatchSource`. */
export type BatchIterator = Iterator<BatchData> | AsyncIterator<BatchData>

/** Whether a value is an iterable or async iterable, and no tensor. */
export const isSource = (value: unknown): value is BatchSource =>
  typeof value === 'object' && value !== null && !(value instanceof Tensor) && (Symbol.iterator in value || Symbol.asyncIterator in value)

/** A new iterator of an iterable. */
export const iteratorOf = (source: BatchSource): BatchIterator =>
  Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : (source as Iterable<BatchData>)[Symbol.iterator]()

/** Whether an iterable is its own iterator, as a generator is. Then it can be consumed only once. */
export const isOneShot = (source: BatchSource): boolean => 'next' in source && typeof source.next === 'function'
