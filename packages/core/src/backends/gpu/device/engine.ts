/**
 * The step from a primitive to a launch: it takes operands and the body of a kernel, makes the source, runs it, and puts the result
 * into `out`'s slot. All kernel files use it.
 */
import { BackendError } from '../../../errors.js'
import { type Shape, sizeOf } from '../../../tensor/shape.js'
import type { Operand } from '../../backend.js'
import { type IndexSpace, indexSpace } from '../source/addressing.js'
import { kernelSource, turnsOf } from '../source/rules.js'
import type { Fours, Tiling } from './context.js'
import type { Blocks, Device, Handle } from './device.js'

/** The inputs of a kernel: arrays and numbers, by the names that its body uses. */
export interface KernelInputs {
  arrays?: Readonly<Record<string, Operand>>
  scalars?: Readonly<Record<string, number>>
}

export interface KernelOptions {
  /** Maps one axis to each thread dimension, so that addresses are whole numbers throughout. */
  axisPerThread?: boolean
  /** The body computes positions in float locals of its own, even if the space needs none. */
  floatAddresses?: boolean
  /**
   * The body returns an array of four numbers. `flat`: four neighbouring cells of a result that has four times as many elements as `axes`. `vectors`: a result of
   * vectors of four, only for kernels that read such (where `tiling` is `vectors`).
   */
  fours?: Fours
}

export interface Engine {
  /** How kernels make four cells a thread here; undefined if that gains nothing. */
  readonly tiling: Tiling | undefined
  /** Many threads run at the same time, as they do on a device. */
  readonly parallel: boolean
  /** The largest position in a tensor that a float local holds exactly. */
  readonly exact: number
  /** Runs a kernel over cells with the given axes; `body` must end in a return statement. */
  run(out: Operand, axes: Shape, inputs: KernelInputs, body: (space: IndexSpace) => string, options?: KernelOptions): void
  /** The same, for a result that belongs to no tensor. */
  compute(axes: Shape, inputs: KernelInputs, body: (space: IndexSpace) => string, options?: KernelOptions): Handle
  /** Runs a kernel whose threads each make four neighbouring cells of `out`: `body` returns an array of four. Only where there is a `tiling`. */
  runFours(out: Operand, axes: Shape, inputs: KernelInputs, body: (space: IndexSpace) => string, options?: KernelOptions): void
  /** out[i] = value */
  fill(out: Operand, value: number): void
  /** Fills out with blocks of x on engines whose calls copy their arguments, so that a call copies only what it reads. Returns false on other engines. */
  takeBlocks(out: Operand, x: Operand, where: Blocks): boolean
  /** Puts host values into out's slot. */
  put(out: Operand, values: Float32Array): void
  /** Makes a handle the content of out's slot. */
  swapIn(out: Operand, handle: Handle): void
  /** In its turn, computes out on the host by `change` from the inputs' values: only for what a device cannot do. */
  transform(out: Operand, inputs: readonly Operand[], change: (values: readonly Float32Array[]) => Float32Array): void
  /** Gives x's values to a check that may throw: at once if the host has them or can read them at once, else before the next read. An error then says `where` it was called. */
  inspect(x: Operand, check: (values: Float32Array) => void, where: string): void
  release(handle: Handle): void
}

/** The handle of a filled operand. */
export function handleOf(x: Operand): Handle {
  const handle = x.storage.handle as Handle | null
  if (handle) return handle
  throw new BackendError('gpu: a tensor is read before anything was written to it.')
}

/** An operand for a handle that belongs to no tensor. */
export const operandOf = (handle: Handle | null, like: Operand, shape: Shape): Operand => ({
  storage: { handle, backend: like.storage.backend, dtype: 'float32', size: sizeOf(shape), references: 1 },
  shape,
  dtype: 'float32',
  size: sizeOf(shape),
})

export function createEngine(device: Device): Engine {
  const { limits, tiling } = device.context
  const empty = device.upload(new Float32Array(0))
  /** The handle of an operand. A tensor without elements needs no content. */
  const inputOf = (x: Operand): Handle => (x.size === 0 ? empty : handleOf(x))

  const engine: Engine = {
    tiling,
    parallel: device.context.resident,
    exact: limits.integer,

    compute(axes, { arrays = {}, scalars = {} }, body, { axisPerThread = false, floatAddresses = false, fours } = {}) {
      const cells = sizeOf(axes)
      if (cells === 0) return device.upload(new Float32Array(0))
      const operands = Object.values(arrays)
      const largest = Math.max(0, ...operands.map((x) => x.size))
      const space = indexSpace(axes, limits, axisPerThread || largest > limits.integer)
      if (largest > limits.integer && (space.decoded || floatAddresses)) {
        throw new BackendError(
          `gpu: positions in a tensor of ${largest} elements are beyond the ${limits.integer} that float32 addresses reach; ` +
            'split the tensor or use another backend.',
        )
      }
      const source = kernelSource([...Object.keys(arrays), ...Object.keys(scalars)], [space.declarations, body(space)].join('\n'))
      if (limits.turns < Infinity && turnsOf(source) > limits.turns) {
        throw new BackendError(
          `gpu: a kernel over [${axes.join(', ')}] takes ${turnsOf(source)} turns of its loops, and this driver stops after ${limits.turns} without a word; ` +
            'split the tensor or use another backend.',
        )
      }
      const size = fours ? 4 * cells : cells
      return device.run({ source, output: space.output, size, arrays: operands.map(inputOf), scalars: Object.values(scalars), fours })
    },

    run(out, axes, inputs, body, options) {
      engine.swapIn(out, engine.compute(axes, inputs, body, options))
    },

    runFours(out, axes, inputs, body, options) {
      const made = engine.compute(axes, inputs, body, { ...options, fours: 'flat' })
      if (tiling !== 'vectors') return engine.swapIn(out, made)
      // The result has four floats a texel, which would slow every kernel that reads it, so another launch unpacks it.
      try {
        engine.run(out, [out.size], { arrays: { x: operandOf(made, out, [out.size]) } }, ({ flat }) => `return x[${flat}];`)
      } finally {
        engine.release(made)
      }
    },

    fill(out, value) {
      engine.run(out, [out.size], { scalars: { value } }, () => 'return value;')
    },

    takeBlocks(out, x, where) {
      if (!device.blocks) return false
      engine.swapIn(out, device.blocks(inputOf(x), where))
      return true
    },

    put(out, values) {
      engine.swapIn(out, device.upload(values))
    },

    swapIn(out, handle) {
      const before = out.storage.handle as Handle | null
      out.storage.handle = handle
      if (before) device.release(before)
    },

    transform(out, inputs, change) {
      engine.swapIn(out, device.transform(inputs.map(inputOf), out.size, change))
    },

    inspect: (x, check, where) => device.inspect(inputOf(x), check, where),

    release: (handle) => device.release(handle),
  }

  return engine
}
