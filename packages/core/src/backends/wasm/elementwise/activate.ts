/**
 * Activations in one pass: out[i] = f(x[i]), and out[i] = dY[i]·f'(x[i]). The formulas are those of ops/activation/smooth.ts, operation by operation, so the bits are
 * those of the composition, too.
 */
import type { ActivationKernel, FusedKernels } from '../../backend.js'
import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js'
import { storeSome } from '../assembler/elements.js'
import { type Emit1, erf, exp, sigmoid } from '../assembler/functions-float32.js'
import { f32x4, i32, type Vector, v128 } from '../assembler/instructions.js'
import { address } from '../engine/address.js'
import type { Engine, KernelFunction } from '../engine/engine.js'

/** a·b, but 0 where b is 0. */
const mulNoNaN = (f: FunctionBuilder, a: Vector, b: Local<'v128'>): Vector => v128.and(f32x4.mul(a, b), f32x4.ne(b, f.splat(0)))

const times = (f: FunctionBuilder, x: Vector, factor: number): Vector => f32x4.mul(x, f.splat(factor))
const plus = (f: FunctionBuilder, x: Vector, term: number): Vector => f32x4.add(x, f.splat(term))

/** Φ(x) = (1 + erf(x/√2))/2 */
const normalBelow: Emit1 = (f, x) => times(f, plus(f, erf(f, f.let(times(f, x, Math.SQRT1_2))), 1), 0.5)

const [TWICE, CUBIC] = [2 * Math.sqrt(2 / Math.PI), 0.044715]
const geluGate: Emit1 = (f, x) => sigmoid(f, f.let(times(f, f32x4.mul(x, plus(f, times(f, f32x4.mul(x, x), CUBIC), 1)), TWICE)))

/** f and f'. */
const formulas: Readonly<Record<ActivationKernel, readonly [value: Emit1, slope: Emit1]>> = {
  gelu: [
    (f, x) => mulNoNaN(f, x, f.let(normalBelow(f, x))),
    (f, x) => {
      const density = f.let(times(f, exp(f, f.let(times(f, f32x4.mul(x, x), -0.5))), 1 / Math.sqrt(2 * Math.PI)))
      return f32x4.add(normalBelow(f, x), mulNoNaN(f, x, density))
    },
  ],
  geluTanh: [
    (f, x) => mulNoNaN(f, x, f.let(geluGate(f, x))),
    (f, x) => {
      const gate = f.let(geluGate(f, x))
      const bend = times(f, f32x4.mul(x, plus(f, times(f, f32x4.mul(x, x), 3 * CUBIC), 1)), TWICE)
      return f32x4.add(gate, mulNoNaN(f, bend, f.let(f32x4.mul(gate, f32x4.sub(f.splat(1), gate)))))
    },
  ],
  silu: [
    (f, x) => mulNoNaN(f, x, f.let(sigmoid(f, x))),
    (f, x) => {
      const s = f.let(sigmoid(f, x))
      const rest = f.let(f32x4.sub(f.splat(1), s))
      return mulNoNaN(f, plus(f, mulNoNaN(f, x, rest), 1), s)
    },
  ],
}

/** Emits the loop over n elements: two vectors a turn, so that the second can start while the first is not done, then one, then what is left of one. */
function emitLoop(
  f: FunctionBuilder,
  { out, n }: Record<'out' | 'n', Local<'i32'>>,
  inputs: readonly Local<'i32'>[],
  result: (...values: Local<'v128'>[]) => Vector,
): void {
  const at = (vector: number): Vector => result(...inputs.map((input) => f.let(v128.load(input, 16 * vector))))
  for (const count of [2, 1]) {
    f.while(i32.geS(n, 4 * count), () => {
      const results = Array.from({ length: count }, (_, vector) => f.let(at(vector)))
      results.forEach((each, vector) => {
        f.do(v128.store(out, each, 16 * vector))
      })
      for (const pointer of [...inputs, out]) f.advance(pointer, 16 * count)
      f.advance(n, -4 * count)
    })
  }
  f.if(n, () => storeSome(f, 'float32', out, at(0), n))
}

/** Writes `value(out, x, n)` and `gradient(out, x, dY, n)`. */
function emitActivation(module: ModuleBuilder, [value, slope]: readonly [Emit1, Emit1]): void {
  module.export('value', { out: 'i32', x: 'i32', n: 'i32' }, null, (f, { out, x, n }) => {
    emitLoop(f, { out, n }, [x], (each) => value(f, each))
  })
  module.export('gradient', { out: 'i32', x: 'i32', dY: 'i32', n: 'i32' }, null, (f, { out, x, dY, n }) => {
    emitLoop(f, { out, n }, [x, dY], (each, cotangent) => f32x4.mul(cotangent, slope(f, each)))
  })
}

/** Rough nanoseconds per element. */
const PER_ELEMENT = 2

/** The kernels of activations; each is compiled when it is first asked for. */
export function createActivate(engine: Engine): Required<Pick<FusedKernels, 'activate' | 'activateGradient'>> {
  const compiled = new Map<ActivationKernel, Record<string, KernelFunction>>()
  const kernelsOf = (name: ActivationKernel): Record<string, KernelFunction> => {
    let kernels = compiled.get(name)
    if (!kernels) {
      kernels = engine.compile((module) => emitActivation(module, formulas[name]))
      compiled.set(name, kernels)
    }
    return kernels
  }
  return {
    activate(out, x, name) {
      const { value } = kernelsOf(name)
      const [to, from] = [address(out), address(x)]
      engine.split(out.size, 64, out.size * PER_ELEMENT, (begin, end, call) => call(value, to + 4 * begin, from + 4 * begin, end - begin))
    },
    activateGradient(out, x, dY, name) {
      const { gradient } = kernelsOf(name)
      const [to, from, cotangent] = [address(out), address(x), address(dY)]
      engine.split(out.size, 64, out.size * PER_ELEMENT, (begin, end, call) =>
        call(gradient, to + 4 * begin, from + 4 * begin, cotangent + 4 * begin, end - begin),
      )
    },
  }
}
