/**
 * Activations in one pass: out[i] = f(x[i]), and out[i] = dY[i]·f'(x[i]). The formulas are those of ops/activation/smooth.ts, operation by operation, so the bits are
 * those of the composition, too. But `gelu` makes Φ of the exponential that its derivative needs anyway, which takes fewer operations than erf.
 */
import type { ActivationKernel, FusedKernels } from '../../backend.js'
import type { FunctionBuilder, Local, ModuleBuilder } from '../assembler/assembler.js'
import { storeSome } from '../assembler/elements.js'
import { type Emit1, polynomial, ROUND, sigmoid } from '../assembler/functions-float32.js'
import { f32x4, i32, i32x4, type Vector, v128 } from '../assembler/instructions.js'
import { address } from '../engine/address.js'
import type { Engine } from '../engine/engine.js'
import { entry } from '../engine/made-once.js'
import { emitPairs, twoWidths, type Widths } from '../engine/two-widths.js'
import type { WidthCheck } from '../engine/width.js'

/** a·b, but 0 where b is 0. */
const mulNoNaN = (f: FunctionBuilder, a: Vector, b: Local<'v128'>): Vector => v128.and(f32x4.mul(a, b), f32x4.ne(b, f.splat(0)))

const times = (f: FunctionBuilder, x: Vector, factor: number): Vector => f32x4.mul(x, f.splat(factor))
const plus = (f: FunctionBuilder, x: Vector, term: number): Vector => f32x4.add(x, f.splat(term))

/**
 * ½·erfc(a)·e^a² ≈ k·Q(k) with k = 1/(1 + GROWTH·x), a = x/√2, x ≥ 0: the form of Hastings ("Approximations for digital computers", 1955, sheets 43 to 45). The
 * coefficients are our own fit, by weighted least squares whose weights follow the errors (Lawson 1961): Φ is within 3·10⁻⁸, and below Φ = 0.005 within 5·10⁻⁶ of itself.
 */
const GROWTH = 0.3625 * Math.SQRT1_2
const TAIL_SERIES = [
  -0.07813096706705215, 0.2607689007728194, -0.14728541306363607, 0.19232293403246797, 0.06311994319944358, 0.1072571995923231,
  0.10194741462573717,
]
/** 2ʳ for |r| ≤ ½, within 9·10⁻⁸ of itself; a fit of the same kind. */
const POWER_SERIES = [1.326472731307149e-3, 9.671512991189957e-3, 5.550733581185341e-2, 0.24022242426872253, 0.6931470036506653, 1]
/** e^(−x²/2) is 2^−LIFT times what is computed, and the factor is in the constants that it meets. So it goes down to 0 beyond the smallest numbers, and needs no mask. */
const LIFT = 64
const LOWERED = 2 ** -LIFT
/** Behind it all results are those of infinity. */
const FAR = -16

/**
 * With n = −|x|: Φ(n) = tail·bell, where bell = 2^LIFT·e^(−x²/2) = 2^(k + LIFT)·2ʳ with −x²/2·log₂e = k + r. k + LIFT is in the low bits of `shifted`; the bits above
 * them leave the register when k moves to the field of the exponent.
 */
function normal(f: FunctionBuilder, x: Local<'v128'>): { n: Local<'v128'>; tail: Local<'v128'>; bell: Local<'v128'> } {
  const n = f.let(f32x4.pmax(v128.or(x, f.splat(-0)), f.splat(FAR))) // pmax returns a left operand that is NaN
  const square = f.let(f32x4.mul(n, n))
  const [scale, round] = [f.splat(-0.5 * Math.LOG2E), f.splat(ROUND + LIFT)]
  const shifted = f.let(f.madd(square, scale, round))
  const r = f.let(f.madd(square, scale, f32x4.sub(round, shifted)))
  const bell = f.let(i32x4.add(polynomial(f, r, POWER_SERIES), i32x4.shl(shifted, 23)))
  const k = f.let(f32x4.div(f.splat(1), f.madd(n, f.splat(-GROWTH), f.splat(1))))
  const series = TAIL_SERIES.map((c) => LOWERED * c)
  return { n, tail: f.let(f32x4.mul(polynomial(f, k, series), k)), bell }
}

const TWICE = 2 * Math.sqrt(2 / Math.PI)
const CUBIC = 0.044715
const geluGate: Emit1 = (f, x) => sigmoid(f, f.let(times(f, f32x4.mul(x, plus(f, times(f, f32x4.mul(x, x), CUBIC), 1)), TWICE)))

/** f and f'. */
const formulas: Readonly<Record<ActivationKernel, readonly [value: Emit1, slope: Emit1]>> = {
  gelu: [
    // x·Φ(x) = max(x, 0) − |x|·Φ(−|x|)
    (f, x) => {
      const { n, tail, bell } = normal(f, x)
      return f.madd(n, f32x4.mul(tail, bell), f32x4.pmax(f.splat(0), x))
    },
    // Φ(x) + x·φ(x) is h = Φ(n) + n·φ(n) for x < 0, else 1 − h.
    (f, x) => {
      const { n, tail, bell } = normal(f, x)
      const h = f.let(f32x4.mul(f.madd(n, f.splat(LOWERED / Math.sqrt(2 * Math.PI)), tail), bell))
      return v128.bitselect(h, f32x4.sub(f.splat(1), h), f32x4.lt(x, f.splat(0)))
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

/** Writes `kernel(out, x, n)`. */
function emitValue(module: ModuleBuilder, name: ActivationKernel): void {
  module.export('kernel', { out: 'i32', x: 'i32', n: 'i32' }, null, (f, { out, x, n }) => {
    emitLoop(f, { out, n }, [x], (each) => formulas[name][0](f, each))
  })
}

/** Writes `kernel(out, x, dY, n)`. */
function emitGradient(module: ModuleBuilder, name: ActivationKernel): void {
  module.export('kernel', { out: 'i32', x: 'i32', dY: 'i32', n: 'i32' }, null, (f, { out, x, dY, n }) => {
    emitLoop(f, { out, n }, [x, dY], (each, cotangent) => f32x4.mul(cotangent, formulas[name][1](f, each)))
  })
}

const names = Object.keys(formulas) as ActivationKernel[]

/** The self-test of activations at 256 bits. */
export const activationCheck: WidthCheck = {
  name: 'activation',
  emit: (module) => emitPairs(module, Object.fromEntries(names.flatMap((name) => formulas[name].map((emit, i) => [name + i, emit])))),
  run(kernels) {
    for (const [i, name] of names.entries()) for (const part of [0, 1]) kernels[name + part](8192 * i + 4096 * part, 131072, 0, 520)
  },
}

/** Rough nanoseconds per element. */
const PER_ELEMENT = 1.2

/** The kernels of activations; each is compiled when it is first asked for. */
export function createActivate(engine: Engine): Required<Pick<FusedKernels, 'activate' | 'activateGradient'>> {
  const compiled = new Map<string, Widths>()
  const kernelOf = (emit: typeof emitValue, name: ActivationKernel): Widths =>
    entry(compiled, emit.name + name, () => twoWidths(engine, activationCheck, (module) => emit(module, name)))
  return {
    activate(out, x, name) {
      const [to, from] = [address(out), address(x)]
      kernelOf(emitValue, name)(out.size, (run) =>
        engine.split(out.size, 64, out.size * PER_ELEMENT, (begin, end, call) => call(run, to + 4 * begin, from + 4 * begin, end - begin)),
      )
    },
    activateGradient(out, x, dY, name) {
      const [to, from, cotangent] = [address(out), address(x), address(dY)]
      kernelOf(emitGradient, name)(out.size, (run) =>
        engine.split(out.size, 64, out.size * PER_ELEMENT, (begin, end, call) =>
          call(run, to + 4 * begin, from + 4 * begin, cotangent + 4 * begin, end - begin),
        ),
      )
    },
  }
}
