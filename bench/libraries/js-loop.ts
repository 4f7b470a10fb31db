/**
 * Code without a library: a loop over Float32Arrays with the functions of Math. Each has a function of its own, so that V8 inlines and
 * specialises it. Results go to an array that is made once; every library allocates one a step.
 */
import type { Adapter, Prepared } from '../adapter.js'
import { operandOf, uniformValues } from '../random.js'
import type { ElementwiseOp, ElementwiseWorkload, UpdateWorkload } from '../workloads.js'

const loops: Record<ElementwiseOp, (out: Float32Array, a: Float32Array, b: Float32Array) => void> = {
  add(out, a, b) {
    for (let i = 0; i < out.length; i++) out[i] = a[i] + b[i]
  },
  relu(out, a) {
    for (let i = 0; i < out.length; i++) out[i] = a[i] > 0 ? a[i] : 0
  },
  exp(out, a) {
    for (let i = 0; i < out.length; i++) out[i] = Math.exp(a[i])
  },
  log(out, a) {
    for (let i = 0; i < out.length; i++) out[i] = Math.log(a[i])
  },
  tanh(out, a) {
    for (let i = 0; i < out.length; i++) out[i] = Math.tanh(a[i])
  },
  sigmoid(out, a) {
    for (let i = 0; i < out.length; i++) out[i] = 1 / (1 + Math.exp(-a[i]))
  },
}

function elementwise({ op, size }: ElementwiseWorkload, seed: number): Prepared {
  const [a, b, out] = [operandOf(op, seed, size), uniformValues(seed + 1, size), new Float32Array(size)]
  const loop = loops[op]
  return {
    async run(steps) {
      for (let i = 0; i < steps; i++) loop(out, a, b)
      return out[0]
    },
    dispose() {},
  }
}

/** One step of Adam; w, m and v change in place. */
function adam(w: Float32Array, m: Float32Array, v: Float32Array, g: Float32Array, rate: number): void {
  for (let i = 0; i < w.length; i++) {
    const mean = 0.9 * m[i] + (1 - 0.9) * g[i]
    const variance = 0.999 * v[i] + (1 - 0.999) * g[i] * g[i]
    w[i] -= (rate * mean) / (Math.sqrt(variance) + 1e-7)
    m[i] = mean
    v[i] = variance
  }
}

function update({ size, learningRate }: UpdateWorkload, seed: number): Prepared {
  const [w, g] = [uniformValues(seed, size), uniformValues(seed + 1, size)]
  const [m, v] = [new Float32Array(size), new Float32Array(size)]
  let t = 0
  return {
    async run(steps) {
      for (let i = 0; i < steps; i++) {
        t++
        adam(w, m, v, g, (learningRate * Math.sqrt(1 - 0.999 ** t)) / (1 - 0.9 ** t))
      }
      return m[0] / (1 - 0.9 ** t)
    },
    dispose() {},
  }
}

export function jsLoop(): Adapter {
  return {
    async prepare(workload, seed) {
      if (workload.kind === 'elementwise') return elementwise(workload, seed)
      if (workload.kind === 'update') return update(workload, seed)
      throw new Error(`There is no loop for ${workload.name}.`)
    },
  }
}
