/**
 * `bench lens matMul … --tile 4x8x2` and `--variant file.ts`: checks another packed kernel, then times it beside ours.
 *
 * Both kernels run the same product on panels packed beforehand, on one thread, in turns of a few milliseconds. The probe `pressed` runs
 * before and after each pair (quiet.ts says why). So the inner loops are compared, not the packing.
 */
import { Engine, emitPacked, type KernelFunction, type ModuleBuilder, type Tile, tileFor } from '@cotangent/core/kernels'
import { measureLimits } from '../probes.js'
import { uniformValues } from '../random.js'
import { short } from '../report.js'
import { type Spread, spread } from '../statistics.js'
import { type Checked, checkPacked } from './check.js'
import { disassemble, textOf } from './disassemble.js'
import { loopText, type Shape } from './lens.js'
import { type InnerLoop, microKernel } from './loops.js'
import { caught } from './modules.js'
import { PackedProduct } from './packed-product.js'
import { isQuiet, PATIENCE, type Pair, timed } from './pairs.js'

/** Writes a module with the export `packed(c, a, b, m, n, k, cRow, accumulate)`, for panels of the tile. */
export type Emit = (module: ModuleBuilder, tile: Tile) => void

/** A kernel to compare with ours. */
export interface Variant {
  /** A name for people: the file's. */
  name: string
  emit: Emit
  /** The tile to emit it for; ours if absent. */
  tile?: Tile
}

/** A fault of the kernel, in one line. */
export class VariantError extends Error {
  override name = 'VariantError'
}

export const oneLine = (error: unknown): string => (error instanceof Error ? error.message : String(error)).replaceAll('\n', ' ')

/** Compiles a kernel. If the engine refuses it, the error has the engine's words. @throws VariantError */
function compiled(engine: Engine, { name, emit }: Variant, tile: Tile): { packed: KernelFunction; bytes: Uint8Array } {
  let exported: Record<string, KernelFunction> = {}
  let modules: Uint8Array[] = []
  try {
    modules = caught(() => {
      exported = engine.compile((module) => emit(module, tile))
    })
  } catch (error) {
    throw new VariantError(`${name}: ${oneLine(error)}`)
  }
  const { packed } = exported
  if (typeof packed !== 'function')
    throw new VariantError(`${name} must write the export "packed", it has ${Object.keys(exported).join(', ') || 'none'}.`)
  return { packed, bytes: modules[0] }
}

/** Checks the kernel. @throws VariantError that names the first fault */
function checked(engine: Engine, packed: KernelFunction, tile: Tile, shape: Shape, name: string): Checked {
  try {
    return checkPacked(engine, packed, tile, shape)
  } catch (error) {
    throw new VariantError(`${name} is wrong, it is not timed: ${oneLine(error)}.`)
  }
}

const tileName = ({ mr, nr, unroll }: Tile): string => `${mr} × ${nr}${unroll > 1 ? `, ${unroll} steps of k a turn` : ''}`

/** The findings of a study. */
export interface Studied {
  ourTile: Tile
  tile: Tile
  checked: Checked
  /** The inner loop of the variant. */
  loop: InnerLoop
  /** GFLOP/s of multiply-adds in registers. */
  peak: number
  pairs: Pair[]
}

/** Checks the variant and times it beside ours. @throws VariantError */
export function studied(shape: Shape, variant: Variant, patience = PATIENCE): Studied {
  const { m, k, n } = shape
  const engine = new Engine({})
  try {
    const ourTile = tileFor(engine.v8Version, engine.relaxed)
    const tile = variant.tile ?? ourTile
    const ours = engine.compile((module) => emitPacked(module, ourTile)).packed
    const { packed, bytes } = compiled(engine, variant, tile)
    const result = checked(engine, packed, tile, shape, variant.name)
    const loop = microKernel(disassemble(bytes).find(({ name }) => name === 'packed') ?? disassemble(bytes)[0])

    const [a, b] = [uniformValues(7, m * k), uniformValues(8, k * n)]
    const [product, other] = [ourTile, tile].map((each) => new PackedProduct(engine, shape, each, a, b))
    const peakBefore = measureLimits().gflops
    const pairs = timed(
      () => product.run(ours),
      () => other.run(packed),
      patience,
    )
    return { ourTile, tile, checked: result, loop, peak: Math.max(peakBefore, measureLimits().gflops), pairs }
  } finally {
    engine.memory.dispose()
  }
}

/** The study as a page of text. @throws VariantError */
export function study(shape: Shape, variant: Variant, patience = PATIENCE): string {
  const { m, k, n } = shape
  const { ourTile, tile, checked, loop, peak, pairs } = studied(shape, variant, patience)
  const { products, worst } = checked
  const quiet = pairs.filter(isQuiet)
  const rate = (ms: number): number => (2 * m * k * n) / ms / 1e6
  const range = ({ min, median, max }: Spread, unit = ''): string => `${short(min)}–${short(median)}–${short(max)}${unit}`
  const both = (name: string, of: (pair: Pair) => number, unit: string, share: boolean): string => {
    const part = (median: number): string => (share ? `, ${Math.round((100 * median) / peak)} % of the peak` : '')
    const all = spread(pairs.map(of))
    const calm = quiet.length > 0 ? spread(quiet.map(of)) : undefined
    return `${name.padEnd(10)} ${range(all, unit)}${part(all.median)}; quiet ${quiet.length}/${pairs.length}${calm ? `: ${range(calm, unit)}${part(calm.median)}` : ''}`
  }
  return [
    `matMul [${m}, ${k}] · [${k}, ${n}]: ${variant.name}, tile ${tileName(tile)}, beside ours, ${tileName(ourTile)}; packed beforehand, one thread`,
    '',
    `checked    ${products} products, largest error ${short(worst)} of k·ε·Σ|a·b|`,
    ...loopText(loop),
    `peak       ${short(peak)} GFLOP/s, multiply-adds in registers`,
    both('ours', (pair) => rate(pair.ours), ' GFLOP/s', true),
    both('this', (pair) => rate(pair.theirs), ' GFLOP/s', true),
    both('speed', (pair) => pair.ours / pair.theirs, '× ours', false),
    `           min–median–max of ${pairs.length} pairs; a range that contains 1 says nothing`,
    '',
    'Its inner loop, a statement a line; local variables by number:',
    '',
    ...textOf(loop.lines).map((line) => `  ${line}`),
  ].join('\n')
}
