/**
 * A training as a function of its seed and a step. `Run.at(step)` gives the moment before update `step`: it makes the network anew, puts back the nearest state before it
 * that was kept, and lets `fit` replay the steps between. A state is what `BackupAndRestore` saves: weights, the optimizer, and the place in the epoch. So it does not
 * matter in which order steps are visited.
 */
import { configure, type Key, onesLike, record, type Tensor, useBackend, valueAndGrad } from '@cotangent/core'
import {
  adagrad,
  adam,
  BackupAndRestore,
  type BackupStore,
  type Callback,
  dense,
  dropout,
  type Layer,
  losses,
  type Optimizer,
  rmsprop,
  Sequential,
  sgd,
  type TrainBatch,
} from '@cotangent/layers'
import { EVERY, type OptimizerName, type Setup, STEPS } from './setup.js'

export const BATCH = 32

/** Samples to learn from: rows of x, and the class of each. */
export interface Data {
  readonly x: Float32Array
  readonly y: ArrayLike<number>
  readonly count: number
}

/** Numbers of a tensor, and where it is from. */
export interface Shown {
  readonly name: string
  readonly shape: readonly number[]
  readonly values: Float32Array
}

/** A record of the tape, with what went through it. */
export interface ShownRecord {
  readonly op: string
  readonly rule: string
  readonly path: string
  readonly options: object
  /** Where inputs are from: a record by its place, a parameter by its name, or a constant. */
  readonly inputs: readonly { readonly record?: number; readonly parameter?: string; readonly constant?: Shown }[]
  readonly output: Shown
  /** The derivative of the loss by the output; undefined if the loss does not depend on it. */
  readonly cotangent?: Float32Array
}

/** Everything about one step: the weights before its update, the batch, and the tape of its loss. */
export interface Moment {
  readonly step: number
  readonly epoch: number
  readonly batch: number
  readonly loss: number
  readonly parameters: readonly { readonly weight: Shown; readonly gradient: Float32Array }[]
  readonly tape: readonly ShownRecord[]
  /** Of all weights, bit for bit. */
  readonly hash: string
  /** The step of the state that was put back, 0 for the network as it was drawn. */
  readonly from: number
  readonly milliseconds: number
}

type TrainingState = NonNullable<Awaited<ReturnType<BackupStore['read']>>>

/** The numbers of a tensor, copied. */
export function valuesOf(tensor: Tensor): Float32Array {
  const values = tensor.backend.readSync?.(tensor.storage)
  if (!values) throw new Error(`The ${tensor.backend.name} backend cannot be read at once.`)
  return Float32Array.from(values)
}

const shown = (tensor: Tensor, name: string): Shown => ({ name, shape: tensor.shape, values: valuesOf(tensor) })

/** FNV-1a of the bytes of all values. */
export function hashOf(arrays: readonly Float32Array[]): string {
  let hash = 0x811c9dc5
  for (const { buffer, byteOffset, byteLength } of arrays)
    for (const byte of new Uint8Array(buffer, byteOffset, byteLength)) hash = Math.imul(hash ^ byte, 0x01000193)
  return (hash >>> 0).toString(16).padStart(8, '0')
}

const optimizers: Readonly<Record<OptimizerName, (options: { learningRate: number }) => Optimizer>> = {
  sgd,
  momentum: (options) => sgd({ ...options, momentum: 0.9 }),
  rmsprop,
  adagrad,
  adam,
}

/** The layers of a setup. Names are given, so that they are the same in each network that is made. */
function layersOf({ problem, units, dropout: rate }: Setup): Layer[] {
  const drop = (name: string): Layer[] => (rate > 0 ? [dropout(rate, { name })] : [])
  if (problem === 'digits') {
    return [dense(units, { activation: 'relu', inputShape: [784], name: 'hidden' }), ...drop('dropout'), dense(10, { name: 'output' })]
  }
  return [
    dense(units, { activation: 'tanh', inputShape: [2], name: 'hidden_1' }),
    ...drop('dropout_1'),
    dense(units, { activation: 'tanh', name: 'hidden_2' }),
    ...drop('dropout_2'),
    dense(1, { name: 'output' }),
  ]
}

/** A network whose step can be looked at. It is never anything else than this step, so looking changes no bit. */
class Watched extends Sequential {
  /** Gets each loss; says whether this is the step to look at. */
  onLoss: (loss: Tensor) => void = () => {}
  looksNow: () => boolean = () => false
  onLook: (batch: TrainBatch, forward: () => Tensor) => Tensor = (_, forward) => forward()

  override trainStep = (batch: TrainBatch): { loss: Tensor } => {
    const forward = (): Tensor => this.computeLoss(batch, this.apply(batch.x, { training: true, key: batch.key }))
    if (this.looksNow()) {
      this.stopTraining = true
      return { loss: this.onLook(batch, forward) }
    }
    const { value, grads } = valueAndGrad(this.trainableWeights, forward)
    this.optimizer.step(this.trainableWeights, grads)
    this.onLoss(value)
    return { loss: value }
  }
}

let ready: Promise<unknown> | undefined
/** Without fused multiply-add, whose last bit depends on the machine. To be called before the first tensor is made. */
export async function useSameBits(): Promise<void> {
  if (!ready) configure({ relaxedSimd: false })
  ready ??= useBackend('wasm')
  await ready
}

export class Run {
  readonly setup: Setup
  readonly data: Data
  /** The loss of each step, as far as steps were replayed. */
  readonly losses = new Float32Array(STEPS + 1).fill(Number.NaN)
  /** The network at the last moment that was visited, with its weights. */
  model: Sequential | undefined
  /** The batch of the last moment, and the key of its dropout. */
  fed: { readonly x: Shown; readonly y: Shown; readonly key: Key } | undefined
  readonly #states = new Map<number, TrainingState>()

  constructor(setup: Setup, data: Data) {
    this.setup = setup
    this.data = data
  }

  /** The steps of which a state is kept. */
  get kept(): number[] {
    return [...this.#states.keys()].sort((a, b) => a - b)
  }

  #newModel(): Watched {
    const { problem, optimizer, rate, seed } = this.setup
    const model = new Watched(layersOf(this.setup), { seed, name: 'network' })
    model.compile({
      optimizer: optimizers[optimizer]({ learningRate: rate }),
      // The outputs are logits, so that the loss is one op.
      loss: (truth, logits) =>
        (problem === 'digits' ? losses.sparseCategoricalCrossentropy : losses.binaryCrossentropy)(truth, logits, { fromLogits: true }),
    })
    return model
  }

  /**
   * @param step 0 … STEPS
   * @param onStep called after each replayed step; it ends the visit by returning true
   * @returns undefined if the visit was ended
   */
  async at(step: number, onStep: (step: number) => boolean = () => false): Promise<Moment | undefined> {
    const begun = performance.now()
    const { x, y, count } = this.data
    const batches = Math.ceil(count / BATCH)
    const from = this.kept.filter((kept) => kept <= step).at(-1) ?? 0
    const store: BackupStore = {
      read: async () => this.#states.get(from),
      write: async (state) => {
        const { epoch, batch } = state.description.place
        this.#states.set(epoch * batches + batch, state)
      },
      remove: async () => {},
    }
    this.model?.dispose()
    const model = this.#newModel()
    this.model = model
    let epoch = 0
    let now = 0
    let moment: Moment | undefined
    const counter: Callback = {
      onEpochBegin: (e) => {
        epoch = e
      },
      onBatchBegin: (batch) => {
        now = epoch * batches + batch
      },
    }
    model.looksNow = () => now === step
    model.onLoss = (loss) => {
      this.losses[now] = valuesOf(loss)[0]
      if (onStep(now)) model.stopTraining = true
    }
    model.onLook = ({ x, y, key }, forward) => {
      this.fed = { x: shown(x, 'x'), y: shown(y, 'y'), key }
      const { loss, ...rest } = look(model, forward)
      this.losses[step] = valuesOf(loss)[0]
      moment = { step, epoch, batch: now % batches, loss: this.losses[step], from, milliseconds: 0, ...rest }
      return loss
    }
    await model.fit({ data: x, shape: [count, x.length / count] }, Float32Array.from(y), {
      batchSize: BATCH,
      epochs: Math.floor(STEPS / batches) + 1,
      verbose: 0,
      callbacks: [counter, new BackupAndRestore(store, { saveFreq: EVERY, deleteCheckpoint: false })],
    })
    return moment && { ...(moment as Moment), milliseconds: performance.now() - begun }
  }
}

/** Records the loss, walks its tape back, and copies all numbers. Nothing is updated. */
function look(model: Sequential, forward: () => Tensor): Pick<Moment, 'parameters' | 'tape' | 'hash'> & { loss: Tensor } {
  const weights = model.trainableWeights
  const { result: loss, tape } = record(weights, forward)
  const cotangents = new Map<Tensor, Float32Array>()
  const grads = tape.backward(loss, onesLike(loss), weights, ({ output }, dY) => cotangents.set(output, valuesOf(dY)))
  const madeBy = new Map(tape.records.map(({ output }, i) => [output, i]))
  const nameOf = new Map<Tensor, string>(weights.map((w) => [w, w.name]))
  return {
    loss,
    hash: hashOf(weights.map(valuesOf)),
    parameters: weights.map((w, i) => ({
      weight: shown(w, w.name),
      gradient: grads[i] ? valuesOf(grads[i]) : new Float32Array(w.size),
    })),
    tape: tape.records.map(({ op, inputs, output, options, path }, i) => ({
      op: op.name,
      rule: op.rule,
      path,
      options,
      inputs: inputs.map((x) => {
        if (madeBy.has(x)) return { record: madeBy.get(x) }
        return nameOf.has(x) ? { parameter: nameOf.get(x) } : { constant: shown(x, 'constant') }
      }),
      output: shown(output, `r${i}`),
      cotangent: cotangents.get(output),
    })),
  }
}
