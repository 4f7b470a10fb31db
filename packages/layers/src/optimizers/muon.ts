/** Muon (Jordan et al. 2024; scaled as in Liu et al. 2025): steps of matrices are made orthogonal. Source: Keras 3.16, optimizers/muon.py. */
import { applyUpdate, matMul, type Parameter, type Tensor, transpose, updateProgram } from '@cotangent/core'
import { EPSILON } from '../losses/index.js'
import { ours } from '../own-classes.js'
import type { SpelledOptions } from '../spelling/names.js'
import { adamRule } from './adam.js'
import { Optimizer, type Slot } from './optimizer.js'
import { descent, type Rule } from './rule.js'
import { type LearningRate, type OptimizerOptions, rateFirst, readSettings } from './settings.js'

/** Options of `muon`. Matrices are all parameters of two axes but those of embeddings; the others follow Adam. */
export interface MuonOptions extends OptimizerOptions {
  /** μ, the share of the old gradients that stays in the momentum, from 0 to 1; 0.95 by default. */
  momentum?: number
  /** Use Nesterov's momentum, which looks one step ahead. True by default. */
  nesterov?: boolean
  /** The number of iterations that make a step orthogonal, at least 0; 5 by default. */
  nsSteps?: number
  /** a of the iteration X ← aX + bXXᵀX + c(XXᵀ)²X; 3.4445 by default. */
  muonA?: number
  /** b of the iteration; −4.775 by default. */
  muonB?: number
  /** c of the iteration; 2.0315 by default. */
  muonC?: number
  /** A step is scaled by √max(rows, columns) times this, at least 0, to the size of Adam's steps; 0.2 by default, null: it is not scaled. */
  rmsRate?: number | null
  /** Regular expressions: parameters with a match in their name follow Adam. None by default. */
  excludeLayers?: readonly string[] | null
  /** Whether parameters with `embedding` in their name follow Adam. True by default. */
  excludeEmbeddings?: boolean
  /** Adam's β₁, from 0 to below 1; 0.9 by default. */
  adamBeta1?: number
  /** Adam's β₂, from 0 to below 1; 0.999 by default. */
  adamBeta2?: number
  /** Adam's ε, at least 0; 1e-7 by default. */
  epsilon?: number
  /** λ of the parameters that follow Adam, at least 0, or null; 0.004 by default. `weightDecay`, 0.004 by default too, is that of matrices. */
  adamWeightDecay?: number | null
  /** The rate of Adam as a share of the learning rate, at least 0; 1 by default. */
  adamLrRatio?: number
}

const gather = updateProgram('gatherMomentum', { slots: 1, inputs: 1, scalars: 1 }, ([m], [g], [momentum]) => [momentum.mul(m).add(g)])

const transposed = (x: Tensor): Tensor => transpose(x, [1, 0])

/**
 * An orthogonal matrix near x [rows, columns]: all singular values come near 1, by the iteration of Newton and Schulz on x/‖x‖.
 * The products are of the shorter side.
 */
function nearOrthogonal(x: Tensor, { muonA: a, muonB: b, muonC: c, nsSteps }: Muon): Tensor {
  const isTall = x.shape[0] > x.shape[1]
  let y = isTall ? transposed(x) : x
  y = y.div(y.square().sum().sqrt().add(1e-7))
  for (let i = 0; i < nsSteps; i++) {
    const square = matMul(y, y, { transposeB: true })
    const both = square.mul(b).add(matMul(square, square).mul(c))
    y = y.mul(a).add(matMul(both, y))
  }
  return isTall ? transposed(y) : y
}

/**
 * m ← μm + g; w ← w − η·s·O(m), with the orthogonal matrix O nearest to m, or to g + μm with `nesterov`, and s = √max(rows, columns)·rmsRate. Parameters
 * that are no matrices follow Adam. The rate η is 0.001 by default.
 */
export class Muon extends Optimizer {
  override readonly className = ours(Muon, 'Muon')
  readonly momentum: number
  readonly nesterov: boolean
  readonly nsSteps: number
  readonly muonA: number
  readonly muonB: number
  readonly muonC: number
  readonly rmsRate: number | null
  readonly excludeLayers: readonly string[]
  readonly excludeEmbeddings: boolean
  readonly adamBeta1: number
  readonly adamBeta2: number
  readonly epsilon: number
  readonly adamWeightDecay: number | null
  readonly adamLrRatio: number

  constructor(options: SpelledOptions<MuonOptions> = {}) {
    const settings = readSettings('muon', options, muonDefaults)
    super(settings)
    this.momentum = settings.momentum
    this.nesterov = settings.nesterov
    this.nsSteps = settings.nsSteps
    this.muonA = settings.muonA
    this.muonB = settings.muonB
    this.muonC = settings.muonC
    this.rmsRate = settings.rmsRate
    this.excludeLayers = settings.excludeLayers ?? []
    this.excludeEmbeddings = settings.excludeEmbeddings
    this.adamBeta1 = settings.adamBeta1
    this.adamBeta2 = settings.adamBeta2
    this.epsilon = settings.epsilon
    this.adamWeightDecay = settings.adamWeightDecay
    this.adamLrRatio = settings.adamLrRatio
  }

  #followsAdam({ rank, name }: Parameter): boolean {
    if (rank !== 2 || (this.excludeEmbeddings && name.toLowerCase().includes('embedding'))) return true
    return this.excludeLayers.some((pattern) => new RegExp(pattern).test(name))
  }

  protected override slots(): readonly Slot[] {
    return [{ name: 'm' }, { name: 'v', shapeFor: (w) => (this.#followsAdam(w) ? w.shape : null) }]
  }

  protected override rule(t: number, rate: number): Rule {
    const { momentum, nesterov, rmsRate, adamWeightDecay, epsilon, adamBeta1: beta1, adamBeta2: beta2 } = this
    return {
      numbers: ({ shape }) => [[rate * (rmsRate === null ? 1 : Math.sqrt(Math.max(...shape)) * rmsRate)]],
      change: ({ w, g, slots: [m] }, [rates]) => {
        applyUpdate(gather, [m], [g], [momentum])
        const direction = nearOrthogonal(nesterov ? g.add(m.mul(momentum)) : m, this)
        applyUpdate(descent, [w], [direction], rates)
      },
      except: {
        of: (w) => this.#followsAdam(w),
        rule: { ...adamRule(t, rate * this.adamLrRatio, { beta1, beta2, epsilon, amsgrad: false }), weightDecay: adamWeightDecay },
      },
    }
  }

  protected override ownConfig(): Record<string, unknown> {
    const names = Object.keys(muonDefaults).filter((name) => !['learningRate', 'weightDecay'].includes(name))
    return Object.fromEntries(names.map((name) => [name, this[name as keyof this]]))
  }
}

const muonDefaults = {
  learningRate: 0.001,
  weightDecay: 0.004,
  momentum: 0.95,
  nesterov: true,
  nsSteps: 5,
  muonA: 3.4445,
  muonB: -4.775,
  muonC: 2.0315,
  rmsRate: 0.2 as number | null,
  excludeLayers: [] as readonly string[] | null,
  excludeEmbeddings: true,
  adamBeta1: 0.9,
  adamBeta2: 0.999,
  epsilon: EPSILON,
  adamWeightDecay: 0.004 as number | null,
  adamLrRatio: 1,
}

/**
 * Makes a `Muon` optimizer. The learning rate may come first.
 *
 * @example
 * ```ts
 * const w = new Parameter(tensor([[2, 0], [0, 2]]))
 * muon(0.1, { rmsRate: null, weightDecay: 0 }).step([w], [tensor([[1, 0], [0, 0.5]])])
 * console.log((await w.array()).map((row) => row.map(Math.round)))   // [[2, 0], [0, 2]]
 * ```
 */
export const muon = (first?: LearningRate | SpelledOptions<MuonOptions>, options?: SpelledOptions<MuonOptions>): Muon =>
  new Muon(rateFirst('muon', first, options))
