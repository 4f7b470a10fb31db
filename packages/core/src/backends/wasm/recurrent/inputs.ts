/**
 * The fused kernels `lstmFromInputs` and `simpleRnnFromInputs`, and their gradients: a recurrent layer with the products of its inputs. The cotangents of x, W, b and U
 * come from one walk (kernel.ts, inputs-gradient-kernel.ts).
 */
import type { FusedKernels, InputsKernelOptions, Operand, SequenceKernelOptions } from '../../backend.js'
import { address } from '../engine/address.js'
import type { Engine, KernelFunction } from '../engine/engine.js'
import { entry } from '../engine/made-once.js'
import { scratchOf } from '../engine/memory.js'
import { createConvTools, MULTIPLY_ADD, tileForFilters } from '../windows/conv-shared.js'
import type { Cell } from './cell.js'
import { lstm, simpleRnn } from './cells.js'
import { emitBackwardFromInputs, type FromInputs, fromInputsCheck, sumsOf } from './inputs-gradient-kernel.js'
import { emitForward } from './kernel.js'
import { panelsOf } from './recurrence-shared.js'

/** Estimated nanoseconds of the gates of a unit, for each sum that goes into them. */
const GATE = { forward: 1.3, backward: 1.1 }

/** The most groups of rows with sums of their own. */
const GROUPS = 8
/** Values of the call of a group. */
const VALUES_PER_GROUP = 2 + 15

/** Rows in a group. They depend on the batch alone, so sums have the same bits for any number of threads. Four rows fill most tiles. */
const groupRows = (n: number): number => 4 * Math.ceil(n / (4 * GROUPS))

type Layer = 'lstmFromInputs' | 'simpleRnnFromInputs'
type Kernels = Required<Pick<FusedKernels, Layer | `${Layer}Gradient`>>

export function createFromInputs(engine: Engine): Kernels {
  engine.addWidthCheck(fromInputsCheck)
  const tools = createConvTools(engine)
  const modules = new Map<string, KernelFunction>()

  const kernelFor = (what: 'forward' | 'backward', name: string, shape: FromInputs, options: SequenceKernelOptions): KernelFunction => {
    const { units, tile, masked, dropped, goBackwards, statesOnly, from } = shape
    const key = JSON.stringify([what, name, units, tile, masked, dropped, goBackwards, statesOnly, options.recurrentActivation, from])
    return entry(
      modules,
      key,
      () =>
        engine.compile((module) => (what === 'forward' ? emitForward(module, shape) : emitBackwardFromInputs(module, shape)), true)[what],
    )
  }

  const shapeOf = (
    cell: Cell,
    units: number,
    { masked, dropped, goBackwards }: SequenceKernelOptions,
    statesOnly: boolean,
    from: FromInputs['from'],
  ): FromInputs => ({ cell, units, tile: tileForFilters(engine, units), masked, dropped, goBackwards, statesOnly, from })

  /** The addresses of the optional operands: dropout factors, then a mask. */
  const optional = ({ masked, dropped }: SequenceKernelOptions, rest: readonly Operand[]): { dropout: number; mask: number } => ({
    dropout: dropped ? address(rest[0]) : 0,
    mask: masked ? address(rest[dropped ? 1 : 0]) : 0,
  })

  const forward =
    (name: string, cellFor: (options: SequenceKernelOptions) => Cell) =>
    (out: Operand, inputs: readonly Operand[], options: InputsKernelOptions): void => {
      if (out.size === 0) return
      const cell = cellFor(options)
      const { biased } = options
      const [x, kernel, ...others] = inputs
      const bias = biased ? address(others.shift() as Operand) : 0
      const [first, second = first] = others.splice(0, cell.states)
      const [weights, ...rest] = others
      const [, t, n, units] = out.shape
      const width = kernel.shape[0]
      const shape = shapeOf(cell, units, options, false, { width, biased, wantsX: false, lastOnly: false })
      const run = kernelFor('forward', name, shape, options)
      const { dropout, mask } = optional(options, rest)
      const { gateBytes, count } = panelsOf(shape)
      const inputGateBytes = count * 4 * shape.tile.nr * width
      const { packBRows } = tools.packing(shape.tile)
      const { gates } = cell
      tools.withMemory((gates * (gateBytes + inputGateBytes)) / 4, (panels) => {
        for (let q = 0; q < gates; q++) {
          packBRows(panels + q * gateBytes, address(weights) + 4 * q * units, units, units, 4 * gates * units)
          packBRows(panels + gates * gateBytes + q * inputGateBytes, address(kernel) + 4 * q * units, units, width, 4 * gates * units)
        }
        const nanoseconds = n * t * gates * units * ((units + width) * MULTIPLY_ADD + GATE.forward)
        engine.split(n, shape.tile.mr, nanoseconds, (begin, end, call, part) => {
          const at = 4 * begin * units
          const rows = [address(out) + at, address(x) + 4 * begin * t * width, address(first) + at, address(second) + at]
          call(run, ...rows, panels, bias, dropout + at, mask + 4 * begin * t, end - begin, n, t, scratchOf(part))
        })
      })
      engine.clearUpperHalves()
    }

  const backward =
    (name: string, cellFor: (options: SequenceKernelOptions) => Cell) =>
    (out: Operand, inputs: readonly Operand[], options: InputsKernelOptions): void => {
      if (out.size === 0) return
      const cell = cellFor(options)
      const wantsX = options.wantsX === true
      const [dY, y, x, kernel, ...others] = inputs
      const [first, second = first] = others.splice(0, cell.states)
      const [weights, ...rest] = others
      const [, t, n, units] = y.shape
      const width = kernel.shape[0]
      const shape = shapeOf(cell, units, options, options.statesOnly === true, {
        width,
        biased: false,
        wantsX,
        lastOnly: options.lastOnly === true,
      })
      const run = kernelFor('backward', name, shape, options)
      const { dropout, mask } = optional(options, rest)
      const { tile } = shape
      const k = cell.columns * units
      const panelFloats = (columns: number): number => Math.ceil(columns / tile.nr) * tile.nr * k
      const perGroup = groupRows(n)
      const groups = Math.ceil(n / perGroup)
      const floats = sumsOf(shape)
      const dX = address(out)
      const sums = dX + (wantsX ? 4 * x.size : 0)
      const states = sums + 4 * floats
      const { packBColumns } = tools.packing(tile)
      tools.withMemory(panelFloats(units) + panelFloats(width) + (groups - 1) * floats, (panels) => {
        packBColumns(panels, address(weights), units, k, 4 * k)
        if (wantsX) packBColumns(panels + 4 * panelFloats(units), address(kernel), width, k, 4 * k)
        const later = panels + 4 * (panelFloats(units) + panelFloats(width)) // the sums of the groups behind the first
        const products = 2 * units + (wantsX ? 2 : 1) * width
        engine.split(
          groups,
          1,
          n * t * k * (products * MULTIPLY_ADD + GATE.backward),
          (begin, end, call, part) => {
            for (let group = begin; group < end; group++) {
              const row = group * perGroup
              const at = 4 * row * units
              const sample = 4 * row * t * width
              call(
                run,
                dX + sample,
                address(dY) + at,
                address(y) + at,
                address(first) + at,
                address(second) + at,
                address(x) + sample,
                group === 0 ? sums : later + 4 * (group - 1) * floats,
                states + cell.states * at,
                panels,
                dropout + at,
                mask + 4 * row * t,
                Math.min(perGroup, n - row),
                n,
                t,
                scratchOf(part),
              )
            }
          },
          VALUES_PER_GROUP,
        )
        if (groups > 1) tools.addAll(sums, later, floats, groups - 1)
      })
      engine.clearUpperHalves()
    }

  const lstmFor = ({ recurrentActivation }: SequenceKernelOptions): Cell => lstm(recurrentActivation === 'hardSigmoid')
  return {
    lstmFromInputs: forward('lstm', lstmFor),
    lstmFromInputsGradient: backward('lstm', lstmFor),
    simpleRnnFromInputs: forward('simpleRnn', () => simpleRnn),
    simpleRnnFromInputsGradient: backward('simpleRnn', () => simpleRnn),
  }
}
