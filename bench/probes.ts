/**
 * The limits of this process: fused multiply-adds in registers, and copying memory. The figures of the rows stand beside them. They are measured in the
 * library's own process between its rounds, so that both meet the same clock and the same neighbours. A third probe tells whether the process has its core
 * to itself right now: its figure falls when another program computes on the core's other hyperthread.
 *
 * All three are loops of a small WebAssembly module, since our kernels are WebAssembly, too:
 *
 * - `peak`: twelve vectors of four floats that never leave their registers. Each is `acc += x·y`, independent of the others, by relaxed SIMD's
 *   `f32x4.relaxed_madd` if the engine has it, else by a multiplication and an addition. One thread, 128 bits.
 * - `pressed`: the register tile of a matrix product, 3 rows × 12 columns, over panels of 15 KiB that stay in the first-level cache. A turn has three
 *   vector loads, three splatted floats and nine multiply-adds. A neighbour on the same core takes issue slots and load ports. That hardly changes
 *   `peak`, but slows `pressed`, as it slows every kernel that loads its operands.
 * - `copy`: sixteen bytes in, sixteen bytes out, four times a turn, between two halves of as many bytes as the row works on.
 *
 * The bytes are written out here, not by core's assembler, so no change of the assembler moves a limit.
 * Format: WebAssembly Core Specification 2.0, section 5.
 */
import { leb128, wasmModule } from './wasm-bytes.js'

/** The best figures of one process. */
export interface Limits {
  /** A fused multiply-add counts as two. */
  gflops: number
  /** Bytes read and bytes written both count. */
  gigabytesPerSecond: number
}

const ACCUMULATORS = 12
/** Multiply-adds of each accumulator in a turn. */
const UNROLL = 4
const FLOPS_A_TURN = ACCUMULATORS * UNROLL * 4 * 2
/** The smallest size of the copy's two halves together. */
const LEAST_BYTES = 2 ** 20
/** Bytes to move in one try, so that it takes long enough to be timed. */
const LEAST_MOVED = 2 ** 26
const DEFAULT_BYTES = 12 * 2 ** 20
/** The tile of `pressed`, and the steps of k in its panels. */
const [ROWS, VECTORS, DEPTH] = [3, 3, 256]
const PRESSED_FLOPS_A_PASS = ROWS * VECTORS * DEPTH * 4 * 2
/** Passes of a try, which takes about a millisecond. */
const PRESSED_PASSES = 2400

const get = (local: number): number[] => [0x20, ...leb128(local)]
const set = (local: number): number[] => [0x21, ...leb128(local)]
const i32Const = (value: number): number[] => [0x41, ...leb128(value, true)]
const vectorOf = (value: number): number[] => {
  const bytes = new Uint8Array(new Float32Array(4).fill(value).buffer)
  return [0xfd, 0x0c, ...bytes]
}
const simd = (number: number): number[] => [0xfd, ...leb128(number)]

/** peak(turns) returns a number that depends on all accumulators, so that no work can be optimised away. */
function peakCode(relaxed: boolean): number[] {
  const accumulator = (i: number): number => 1 + i // parameter 0 is the count
  const [x, y] = [1 + ACCUMULATORS, 2 + ACCUMULATORS]
  // Without fusion: acc·x + y, whose product cannot be moved out of the loop.
  const step = (i: number): number[] =>
    relaxed
      ? [...get(x), ...get(y), ...get(accumulator(i)), ...simd(0x105), ...set(accumulator(i))]
      : [...get(accumulator(i)), ...get(x), ...simd(0xe6), ...get(y), ...simd(0xe4), ...set(accumulator(i))]
  const all = Array.from({ length: ACCUMULATORS }, (_, i) => i)
  return [
    ...all.flatMap((i) => [...vectorOf(1 + i / 16), ...set(accumulator(i))]),
    ...[...vectorOf(0.75), ...set(x), ...vectorOf(0.125), ...set(y)],
    ...[0x03, 0x40], // loop
    ...Array.from({ length: UNROLL }, () => all.flatMap(step)).flat(),
    ...[...get(0), ...i32Const(-1), 0x6a, 0x22, 0x00], // local.tee turns − 1
    ...[0x0d, 0x00, 0x0b], // br_if loop, end
    ...get(accumulator(0)),
    ...all.slice(1).flatMap((i) => [...get(accumulator(i)), ...simd(0xe4)]),
    ...[...simd(0x1f), 0x00],
  ]
}

/** pressed(passes) returns a number that depends on all accumulators. A's panels lie at the start of the memory, B's behind them; all hold zeros. */
function pressedCode(relaxed: boolean): number[] {
  const [a, b, end, splat] = [1, 2, 3, 4]
  const column = (v: number): number => 5 + v
  const accumulator = (i: number): number => 5 + VECTORS + i // row by row
  const [aBytes, bBytes] = [4 * ROWS * DEPTH, 16 * VECTORS * DEPTH]
  const rows = Array.from({ length: ROWS }, (_, i) => i)
  const columns = Array.from({ length: VECTORS }, (_, v) => v)
  const multiplyAdd = (v: number, i: number): number[] =>
    relaxed
      ? [...get(splat), ...get(column(v)), ...get(i), ...simd(0x105), ...set(i)]
      : [...get(splat), ...get(column(v)), ...simd(0xe6), ...get(i), ...simd(0xe4), ...set(i)]
  const advance = (local: number, by: number): number[] => [...get(local), ...i32Const(by), 0x6a, ...set(local)]
  return [
    ...[0x03, 0x40], // loop over passes
    ...[...i32Const(0), ...set(a), ...i32Const(aBytes), ...set(b), ...i32Const(aBytes + bBytes), ...set(end)],
    ...[0x03, 0x40], // loop over k
    ...columns.flatMap((v) => [...get(b), ...simd(0x00), 0x04, ...leb128(16 * v), ...set(column(v))]),
    ...rows.flatMap((i) => [
      ...[...get(a), ...simd(0x09), 0x02, ...leb128(4 * i), ...set(splat)], // v128.load32_splat
      ...columns.flatMap((v) => multiplyAdd(v, accumulator(VECTORS * i + v))),
    ]),
    ...[...advance(a, 4 * ROWS), ...advance(b, 16 * VECTORS)],
    ...[...get(b), ...get(end), 0x49, 0x0d, 0x00, 0x0b], // br_if b < end
    ...[...get(0), ...i32Const(-1), 0x6a, 0x22, 0x00],
    ...[0x0d, 0x00, 0x0b],
    ...get(accumulator(0)),
    ...Array.from({ length: ROWS * VECTORS - 1 }, (_, i) => [...get(accumulator(i + 1)), ...simd(0xe4)]).flat(),
    ...[...simd(0x1f), 0x00],
  ]
}

/** copy(to, from, turns): 64 bytes a turn. */
function copyCode(): number[] {
  const one = (offset: number): number[] => [
    ...[...get(0), ...get(1)],
    ...[...simd(0x00), 0x04, ...leb128(offset)],
    ...[...simd(0x0b), 0x04, ...leb128(offset)],
  ]
  const advance = (local: number, by: number): number[] => [...get(local), ...i32Const(by), 0x6a, ...set(local)]
  return [
    ...[0x03, 0x40],
    ...[0, 16, 32, 48].flatMap(one),
    ...[...advance(0, 64), ...advance(1, 64)],
    ...[...get(2), ...i32Const(-1), 0x6a, 0x22, 0x02],
    ...[0x0d, 0x00, 0x0b],
  ]
}

/** The module's bytes, which tests read. */
export function probeModule(relaxed: boolean): Uint8Array<ArrayBuffer> {
  return wasmModule({
    memoryPages: 1,
    functions: [
      { name: 'peak', parameters: ['i32'], result: 'f32', locals: [{ count: ACCUMULATORS + 2, type: 'v128' }], code: peakCode(relaxed) },
      {
        name: 'pressed',
        parameters: ['i32'],
        result: 'f32',
        locals: [
          { count: 3, type: 'i32' },
          { count: 1 + VECTORS + ROWS * VECTORS, type: 'v128' },
        ],
        code: pressedCode(relaxed),
      },
      { name: 'copy', parameters: ['i32', 'i32', 'i32'], code: copyCode() },
    ],
  })
}

interface Loops {
  memory: WebAssembly.Memory
  peak(turns: number): number
  pressed(passes: number): number
  copy(to: number, from: number, turns: number): void
}

/** V8's flags, which Node alone can set. A page compiles as it likes: with its fast compiler first. */
const v8 = (globalThis as { process?: { getBuiltinModule?(id: string): unknown } }).process?.getBuiltinModule?.('node:v8') as
  | { setFlagsFromString(flag: string): void }
  | undefined

/** Compiles the module, and runs it until the optimising compiler has had its turn. (A flag of V8 would do that at once, and be felt by the modules of others.) */
function compile(): Loops {
  const isThere = WebAssembly.validate(probeModule(true))
  if (isThere || !v8) return warmed(instance(isThere))
  v8.setFlagsFromString('--experimental-wasm-relaxed-simd') // Node 20
  try {
    return warmed(instance(WebAssembly.validate(probeModule(true))))
  } finally {
    v8.setFlagsFromString('--no-experimental-wasm-relaxed-simd')
  }
}

const instance = (relaxed: boolean): Loops =>
  new WebAssembly.Instance(new WebAssembly.Module(probeModule(relaxed))).exports as unknown as Loops

/** Milliseconds of calls before the first measurement: by then the optimised code has taken the place of the first one. */
const WARM_UP_MS = 60

/** Milliseconds for which work runs before it is timed: until optimised code has taken the place of the first one. In Node kernels are optimised at once. */
export const warmUpMs = v8 ? 0 : 250

function warmed(loops: Loops): Loops {
  for (const work of [() => void loops.peak(20_000), () => void loops.pressed(100), () => loops.copy(32768, 0, 512)]) {
    const end = performance.now() + WARM_UP_MS
    while (performance.now() < end) work()
  }
  return loops
}

/**
 * How many times as long a try is as in Node. A page's clock goes in steps of 0.1 ms in Chromium and of 1 ms in Firefox, and a try has to be long beside them.
 */
export const clockFactor: number = (() => {
  let step = Number.POSITIVE_INFINITY
  for (let i = 0; i < 3; i++) {
    const start = performance.now()
    let now = start
    while (now === start) now = performance.now()
    step = Math.min(step, now - start)
  }
  return Math.min(12, Math.max(1, Math.ceil(40 * step)))
})()

/** The best of a few short tries: a limit is the speed of a try that nothing disturbed. */
function best(tries: number, work: () => void): number {
  let least = Number.POSITIVE_INFINITY
  for (let i = 0; i < tries; i++) {
    const start = performance.now()
    work()
    least = Math.min(least, performance.now() - start)
  }
  return least
}

let loops: Loops | undefined

/** Measures both limits, in about 25 ms; the copy works on `bytes` bytes. */
export function measureLimits(bytes = DEFAULT_BYTES): Limits {
  loops ??= compile()
  const { memory, peak, copy } = loops
  const turns = 300_000 * clockFactor
  const peakMs = best(5, () => void peak(turns))
  const half = Math.ceil(Math.max(bytes, LEAST_BYTES) / 128) * 64
  const missing = 2 * half - memory.buffer.byteLength
  if (missing > 0) memory.grow(Math.ceil(missing / 65536))
  const passes = Math.ceil((LEAST_MOVED * clockFactor) / (2 * half))
  const copyMs = best(5, () => {
    for (let pass = 0; pass < passes; pass++) copy(half, 0, half / 64)
  })
  return { gflops: (turns * FLOPS_A_TURN) / peakMs / 1e6, gigabytesPerSecond: (2 * half * passes) / copyMs / 1e6 }
}

let bestPressed = 0

/** GFLOP/s of the register tile right now, in one try of about a millisecond (longer where the clock is coarse). */
export function pressed(): number {
  loops ??= compile()
  const passes = PRESSED_PASSES * clockFactor
  const start = performance.now()
  loops.pressed(passes)
  const gflops = (passes * PRESSED_FLOPS_A_PASS) / (performance.now() - start) / 1e6
  bestPressed = Math.max(bestPressed, gflops)
  return gflops
}

/** The best figure of `pressed` in this process so far. */
export const mostPressed = (): number => bestPressed
