/** Batches that the user makes: an iterable, sync or async. */
import { Tensor } from '@cotangent/core'
import type { ModelData } from './data.js'

/** What an iterable gives: inputs, targets, and factors of the samples' losses. Tensors stay whose they are. */
export type BatchData = readonly [x: ModelData, y: ModelData, sampleWeight?: ModelData]

/**
 * Batches, one after another: an array, a generator, or anything else that can be iterated.
 *
 * @example
 * ```ts
 * function* windows() {
 *   for (let i = 0; ; i = (i + 16) % 64) yield [x.slice([i, 0], [16, 8]), y.slice([i, 0], [16, 4])] as const
 * }
 * await model.fit(windows(), { stepsPerEpoch: 4, epochs: 2 })
 * ```
 */
export type BatchSource = Iterable<BatchData> | AsyncIterable<BatchData>

/** What an iterable is gone through with. */
export type BatchIterator = Iterator<BatchData> | AsyncIterator<BatchData>

/** Whether a value can be iterated. */
export const isSource = (value: unknown): value is BatchSource =>
  typeof value === 'object' && value !== null && !(value instanceof Tensor) && (Symbol.iterator in value || Symbol.asyncIterator in value)

/** The iterator of an iterable, from its start. */
export const iteratorOf = (source: BatchSource): BatchIterator =>
  Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : (source as Iterable<BatchData>)[Symbol.iterator]()

/** Whether it is its own iterator, as a generator is: it can be gone through once. */
export const isOneShot = (source: BatchSource): boolean => 'next' in source && typeof source.next === 'function'
