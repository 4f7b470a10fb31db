/**
 * Cross-entropy of softmax, row by row, from weights of the classes or from class numbers, and the gradients. The logarithm of softmax is x − max − ln Σ e^(x − max);
 * softmax.ts has the maximum and the sum.
 */
import type { FusedKernels, Operand } from '../../backend.js'
import type { ModuleBuilder } from '../assembler/assembler.js'
import { firstLanes, storeSome } from '../assembler/elements.js'
import { log } from '../assembler/functions-float32.js'
import { f32x4, i32, memory, shuffle32, type Vector, v128 } from '../assembler/instructions.js'
import { address } from '../engine/address.js'
import type { Engine, KernelFunction } from '../engine/engine.js'
import { entry } from '../engine/made-once.js'
import { emitRowSum as emitSum } from './reduce.js'
import { across, alongRow, emitRowMaximum, emitRowSum, rowsPerLine } from './softmax.js'

const LARGEST = 3.4028234663852886e38

/** Writes `kernel(out, logits, labels, rows, columns)`: Σ labels·(ln Σ e^(x − max) − (x − max)). A label of 0 contributes 0, whatever its logit. */
function emitCrossEntropy(module: ModuleBuilder): void {
  const parameters = { out: 'i32', x: 'i32', labels: 'i32', rows: 'i32', columns: 'i32' } as const
  module.export('kernel', parameters, null, (f, { out, x, labels, rows, columns }) => {
    const [from, label, n] = [f.local('i32'), f.local('i32'), f.local('i32')]
    const [maximum, sum, loss] = [f.local('v128'), f.local('v128'), f.local('v128')]
    const rowBytes = f.let(i32.shl(columns, 2))
    const shifted = (): Vector => f32x4.sub(v128.load(from), maximum)
    f.while(i32.gtS(rows, 0), () => {
      emitRowMaximum(f, x, columns, maximum)
      emitRowSum(f, x, columns, maximum, sum)
      f.set(sum, log(f, sum))
      f.set(loss, f.splat(0))
      f.set(from, x)
      f.set(label, labels)
      const term = (): Vector => {
        const weight = f.let(v128.load(label))
        return v128.and(f32x4.mul(weight, f32x4.sub(sum, shifted())), f32x4.ne(weight, f.splat(0)))
      }
      alongRow(
        f,
        n,
        columns,
        () => {
          f.advance(from, 16)
          f.advance(label, 16)
        },
        () => f.set(loss, f32x4.add(loss, term())),
        () => f.set(loss, f32x4.add(loss, v128.and(term(), firstLanes(f, n)))),
      )
      f.do(v128.store32Lane(out, across(f, loss, f32x4.add), 0))
      f.advance(out, 4)
      f.advance(x, rowBytes)
      f.advance(labels, rowBytes)
      f.advance(rows, -1)
    })
  })
}

/** Writes `kernel(out, x, labels, dY, rows, columns)`: (softmax(x)·Σ labels − labels)·dY. */
function emitCrossEntropyGradient(module: ModuleBuilder): void {
  const parameters = { out: 'i32', x: 'i32', labels: 'i32', dY: 'i32', rows: 'i32', columns: 'i32' } as const
  module.export('kernel', parameters, null, (f, { out, x, labels, dY, rows, columns }) => {
    const [to, label, n] = [f.local('i32'), f.local('i32'), f.local('i32')]
    const [maximum, sum, weight, scale] = [f.local('v128'), f.local('v128'), f.local('v128'), f.local('v128')]
    const rowBytes = f.let(i32.shl(columns, 2))
    f.while(i32.gtS(rows, 0), () => {
      emitRowMaximum(f, x, columns, maximum)
      emitRowSum(f, x, columns, maximum, sum, out)
      f.set(label, labels)
      f.set(weight, emitSum(f, label, columns))
      f.set(weight, shuffle32(weight, weight, [0, 0, 0, 0]))
      f.set(scale, v128.load32Splat(dY))
      const value = (): Vector => f32x4.mul(f32x4.sub(f32x4.mul(f32x4.div(v128.load(to), sum), weight), v128.load(label)), scale)
      f.set(to, out)
      f.set(label, labels)
      alongRow(
        f,
        n,
        columns,
        () => {
          for (const pointer of [to, label]) f.advance(pointer, 16)
        },
        () => f.do(v128.store(to, value())),
        () => storeSome(f, 'float32', to, f.let(value()), n),
      )
      for (const pointer of [out, x, labels]) f.advance(pointer, rowBytes)
      f.advance(dY, 4)
      f.advance(rows, -1)
    })
  })
}

/** Writes `kernel(out, logits, labels, rows, columns)`: ln Σ e^(x − max) − (x − max) at the class number of each row; 0 where there is no such class. */
function emitClassEntropy(module: ModuleBuilder): void {
  const parameters = { out: 'i32', x: 'i32', labels: 'i32', rows: 'i32', columns: 'i32' } as const
  module.export('kernel', parameters, null, (f, { out, x, labels, rows, columns }) => {
    const [maximum, sum, loss] = [f.local('v128'), f.local('v128'), f.local('v128')]
    const rowBytes = f.let(i32.shl(columns, 2))
    f.while(i32.gtS(rows, 0), () => {
      const label = f.let(i32.load(labels))
      f.set(loss, f.splat(0))
      f.if(i32.ltU(label, columns), () => {
        emitRowMaximum(f, x, columns, maximum)
        // Finite, so that a logit of ∞ is infinitely far above the others, where ∞ − ∞ is NaN.
        f.set(maximum, f32x4.min(f32x4.max(maximum, f.splat(-LARGEST)), f.splat(LARGEST)))
        emitRowSum(f, x, columns, maximum, sum)
        f.set(loss, f32x4.sub(log(f, sum), f32x4.sub(v128.load32Splat(i32.add(x, i32.shl(label, 2))), maximum)))
      })
      f.do(v128.store32Lane(out, loss, 0))
      for (const pointer of [out, labels]) f.advance(pointer, 4)
      f.advance(x, rowBytes)
      f.advance(rows, -1)
    })
  })
}

/** Writes `kernel(out, logits, labels, dY, rows, columns)`: dY·(e^(x − max)/Σ − 1 at the class number); 0 where there is no such class. */
function emitClassEntropyGradient(module: ModuleBuilder): void {
  const parameters = { out: 'i32', x: 'i32', labels: 'i32', dY: 'i32', rows: 'i32', columns: 'i32' } as const
  module.export('kernel', parameters, null, (f, { out, x, labels, dY, rows, columns }) => {
    const [to, n] = [f.local('i32'), f.local('i32')]
    const [maximum, sum] = [f.local('v128'), f.local('v128')]
    const rowBytes = f.let(i32.shl(columns, 2))
    f.while(i32.gtS(rows, 0), () => {
      const label = f.let(i32.load(labels))
      f.if(
        i32.ltU(label, columns),
        () => {
          emitRowMaximum(f, x, columns, maximum)
          emitRowSum(f, x, columns, maximum, sum, out)
          f.set(to, i32.add(out, i32.shl(label, 2)))
          f.do(v128.store32Lane(to, f32x4.sub(v128.load32Splat(to), sum), 0))
          const above = f.let(v128.load32Splat(dY))
          const value = (): Vector => f32x4.mul(f32x4.div(v128.load(to), sum), above)
          f.set(to, out)
          alongRow(
            f,
            n,
            columns,
            () => f.advance(to, 16),
            () => f.do(v128.store(to, value())),
            () => storeSome(f, 'float32', to, value(), n),
          )
        },
        () => f.do(memory.fill(out, 0, rowBytes)),
      )
      for (const pointer of [labels, dY]) f.advance(pointer, 4)
      for (const pointer of [out, x]) f.advance(pointer, rowBytes)
      f.advance(rows, -1)
    })
  })
}

type CrossEntropyKernels = 'softmaxCrossEntropy' | 'softmaxCrossEntropyGradient' | 'classCrossEntropy' | 'classCrossEntropyGradient'

/** The fused kernels of cross-entropy. */
export function createCrossEntropy(engine: Engine): Required<Pick<FusedKernels, CrossEntropyKernels>> {
  const kernels = new Map<CrossEntropyKernels, KernelFunction>()
  const kernel = (name: CrossEntropyKernels, emit: (module: ModuleBuilder) => void): KernelFunction =>
    entry(kernels, name, () => engine.compileOne(emit))
  const classesOf = (x: Operand): number => x.shape[x.shape.length - 1]
  return {
    softmaxCrossEntropy(out, logits, labels) {
      if (out.size === 0) return
      const run = kernel('softmaxCrossEntropy', emitCrossEntropy)
      const [to, from, label, columns] = [address(out), address(logits), address(labels), classesOf(logits)]
      engine.split(out.size, 16, 2 * logits.size + 10 * out.size, (begin, end, call) =>
        call(run, to + 4 * begin, from + 4 * begin * columns, label + 4 * begin * columns, end - begin, columns),
      )
    },
    softmaxCrossEntropyGradient(out, logits, labels, dY) {
      if (out.size === 0) return
      const [run, columns] = [kernel('softmaxCrossEntropyGradient', emitCrossEntropyGradient), classesOf(logits)]
      const [to, from, label, cotangent] = [out, logits, labels, dY].map(address)
      engine.split(dY.size, rowsPerLine(columns), 2 * out.size + 20 * dY.size, (begin, end, call) => {
        const row = 4 * begin * columns
        call(run, to + row, from + row, label + row, cotangent + 4 * begin, end - begin, columns)
      })
    },
    classCrossEntropy(out, logits, labels) {
      if (out.size === 0) return
      const run = kernel('classCrossEntropy', emitClassEntropy)
      const [to, from, label, columns] = [address(out), address(logits), address(labels), classesOf(logits)]
      engine.split(out.size, 16, 1.6 * logits.size + 10 * out.size, (begin, end, call) =>
        call(run, to + 4 * begin, from + 4 * begin * columns, label + 4 * begin, end - begin, columns),
      )
    },
    classCrossEntropyGradient(out, logits, labels, dY) {
      if (out.size === 0) return
      const run = kernel('classCrossEntropyGradient', emitClassEntropyGradient)
      const [to, from, label, above, columns] = [address(out), address(logits), address(labels), address(dY), classesOf(logits)]
      const rows = out.size / columns
      engine.split(rows, rowsPerLine(columns), 2.1 * out.size + 10 * rows, (begin, end, call) => {
        const [row, first] = [4 * begin * columns, 4 * begin]
        call(run, to + row, from + row, label + first, above + first, end - begin, columns)
      })
    },
  }
}
