/**
 * Recurrent networks over whole sequences: the fused kernels `lstmSequence`, `gruSequence`, `simpleRnnSequence` and their gradients. The recurrent weights are
 * packed once; then threads share the rows of the batch, and each runs all steps for its own rows (kernel.ts).
 */
import type { FusedKernels, Operand, SequenceKernelOptions } from '../../backend.js'
import { address } from '../engine/address.js'
import type { Engine, KernelFunction } from '../engine/engine.js'
import { entry } from '../engine/made-once.js'
import { scratchOf } from '../engine/memory.js'
import { createConvTools, MULTIPLY_ADD, tileForFilters } from '../windows/conv-shared.js'
import type { Cell } from './cell.js'
import { gru, gruResetAfter, lstm, simpleRnn } from './cells.js'
import { cellCheck, emitBackward } from './gradient-kernel.js'
import { emitForward } from './kernel.js'
import { panelsOf, type RecurrenceShape } from './recurrence-shared.js'

/** Estimated nanoseconds of the gates of a unit, for each sum that goes into them. The two numbers differ, so that sharing.ts tells the two kinds of jobs apart. */
const GATE = { forward: 1.2, backward: 1 }

type Sequence = 'lstmSequence' | 'gruSequence' | 'gruResetAfterSequence' | 'simpleRnnSequence'
type Kernels = Required<Pick<FusedKernels, Sequence | `${Sequence}Gradient`>>

export function createRecurrence(engine: Engine): Kernels {
  engine.addWidthCheck(cellCheck)
  const tools = createConvTools(engine)
  const modules = new Map<string, KernelFunction>()

  /** Packs the recurrent weights and runs the kernel on all rows. `first`: the arguments that begin each call. `second`: the operands that are cut by row. */
  function overRows(
    what: 'forward' | 'backward',
    name: string,
    cell: Cell,
    options: SequenceKernelOptions,
    weights: Operand,
    [n, t]: readonly [number, number],
    argumentsFrom: (row: number) => readonly [number, number, number, number],
    bias: Operand | undefined,
    rest: readonly Operand[],
  ): void {
    const units = weights.shape[0]
    const { masked, dropped, goBackwards, recurrentActivation } = options
    const statesOnly = what === 'backward' && options.statesOnly === true
    const tile = tileForFilters(engine, units)
    const shape: RecurrenceShape = { cell, units, tile, masked, dropped, goBackwards, statesOnly }
    const key = JSON.stringify([what, name, units, tile, masked, dropped, goBackwards, statesOnly, recurrentActivation])
    const kernel = entry(
      modules,
      key,
      () => engine.compile((module) => (what === 'forward' ? emitForward : emitBackward)(module, shape), true)[what],
    )
    const { gateBytes } = panelsOf(shape)
    const { packBRows, packBColumns } = tools.packing(tile)
    const biasAt = bias ? address(bias) : 0
    const dropout = dropped ? address(rest[0]) : 0
    const mask = masked ? address(rest[dropped ? 1 : 0]) : 0
    tools.withMemory((cell.gates * gateBytes) / 4, (panels) => {
      for (let q = 0; q < cell.gates; q++) {
        const pack = what === 'forward' ? packBRows : packBColumns
        pack(panels + q * gateBytes, address(weights) + 4 * q * units, units, units, 4 * cell.gates * units)
      }
      const nanoseconds = n * t * cell.gates * units * (units * MULTIPLY_ADD + GATE[what])
      engine.split(n, tile.mr, nanoseconds, (begin, end, call, part) => {
        const at = 4 * begin * units
        call(kernel, ...argumentsFrom(begin), panels, biasAt, dropout + at, mask + 4 * begin * t, end - begin, n, t, scratchOf(part))
      })
    })
    engine.clearUpperHalves()
  }

  const forward =
    (name: string, cellFor: (options: SequenceKernelOptions) => Cell) =>
    (out: Operand, inputs: readonly Operand[], options: SequenceKernelOptions): void => {
      if (out.size === 0) return
      const cell = cellFor(options)
      const [z, first, second] = inputs
      const [weights, ...others] = inputs.slice(1 + cell.states)
      const bias = cell.biased ? others.shift() : undefined
      const [, t, n, u] = out.shape
      const rows = (row: number) =>
        [
          address(out) + 4 * row * u,
          address(z) + 4 * row * t * cell.gates * u,
          address(first) + 4 * row * u,
          address(second) + 4 * row * u,
        ] as const
      overRows('forward', name, cell, options, weights, [n, t], rows, bias, others)
    }

  const backward =
    (name: string, cellFor: (options: SequenceKernelOptions) => Cell) =>
    (out: Operand, inputs: readonly Operand[], options: SequenceKernelOptions): void => {
      if (out.size === 0) return
      const cell = cellFor(options)
      const at = cell.states > 1 || cell.keeps ? 3 : 2 // if a state before the step is needed, it comes third, and these inputs follow it
      const [dY, y, second] = inputs
      const weights = inputs[at]
      const [, t, n, u] = y.shape
      const rows = (row: number) =>
        [
          address(out) + 4 * row * cell.columns * u,
          address(dY) + 4 * row * u,
          address(y) + 4 * row * u,
          address(second) + 4 * row * u,
        ] as const
      overRows('backward', name, cell, options, weights, [n, t], rows, undefined, inputs.slice(at + 1))
    }

  const lstmFor = ({ recurrentActivation }: SequenceKernelOptions): Cell => lstm(recurrentActivation === 'hardSigmoid')
  const gruFor = ({ recurrentActivation }: SequenceKernelOptions): Cell => gru(recurrentActivation === 'hardSigmoid')
  const resetAfterFor = ({ recurrentActivation }: SequenceKernelOptions): Cell => gruResetAfter(recurrentActivation === 'hardSigmoid')
  return {
    lstmSequence: forward('lstm', lstmFor),
    lstmSequenceGradient: backward('lstm', lstmFor),
    gruSequence: forward('gru', gruFor),
    gruSequenceGradient: backward('gru', gruFor),
    gruResetAfterSequence: forward('gruResetAfter', resetAfterFor),
    gruResetAfterSequenceGradient: backward('gruResetAfter', resetAfterFor),
    simpleRnnSequence: forward('simpleRnn', () => simpleRnn),
    simpleRnnSequenceGradient: backward('simpleRnn', () => simpleRnn),
  }
}
