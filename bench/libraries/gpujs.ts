/**
 * gpu.js in its modes cpu and webasm, from bench/peers: single kernels, each a function as source, with sizes as literals (gpu.js cuts a loop with a
 * computed bound off at loopMaxIterations). It has no tensors; results are the arrays that it returns.
 */
import { createRequire } from 'node:module'
import type { Adapter, Prepared } from '../adapter.js'
import { operandOf, uniformValues } from '../random.js'
import type { MatMulWorkload } from '../workloads.js'

type Kernel = ((...inputs: object[]) => ArrayLike<number> | readonly ArrayLike<number>[]) & { destroy?(): void }
interface GpuJs {
  GPU: new (options: {
    mode: string
  }) => {
    createKernel(source: string, options: { output: number[]; loopMaxIterations: number }): Kernel
    destroy(): Promise<void> | void
  }
  input(values: Float32Array, size: number[]): object
}

export function gpujs(mode: 'webasm' | 'cpu'): Adapter {
  const load = createRequire(new URL('../peers/package.json', import.meta.url))
  const { GPU, input } = load('gpu.js') as GpuJs

  function prepared(source: string, output: number[], inputs: readonly object[], count = 1): Prepared {
    const gpu = new GPU({ mode })
    const kernel = gpu.createKernel(source, { output, loopMaxIterations: 2 ** 31 - 1 })
    return {
      async run(steps) {
        let value = Number.NaN
        for (let i = 0; i < steps * count; i++) {
          const first = kernel(...inputs)[0]
          value = typeof first === 'number' ? first : first[0]
        }
        return value
      },
      dispose: () => void gpu.destroy(),
    }
  }

  function product({ m, k, n, transposeA, transposeB }: MatMulWorkload, seed: number): Prepared {
    const a = input(uniformValues(seed, m * k), transposeA ? [m, k] : [k, m]) // gpu.js puts columns first
    const b = input(uniformValues(seed + 1, k * n), transposeB ? [k, n] : [n, k])
    const [left, right] = [
      transposeA ? 'a[i][this.thread.y]' : 'a[this.thread.y][i]',
      transposeB ? 'b[this.thread.x][i]' : 'b[i][this.thread.x]',
    ]
    const source = `function (a, b) { let sum = 0; for (let i = 0; i < ${k}; i++) { sum += ${left} * ${right}; } return sum; }`
    return prepared(source, [n, m], [a, b])
  }

  return {
    async prepare(workload, seed) {
      if (workload.kind === 'matMul') return product(workload, seed)
      if (workload.kind === 'elementwise' || (workload.kind === 'dispatch' && workload.what === 'add')) {
        const [op, size, count] = workload.kind === 'elementwise' ? [workload.op, workload.size, 1] : ['add' as const, 10, workload.count]
        const result = {
          add: 'a[this.thread.x] + b[this.thread.x]',
          exp: 'Math.exp(a[this.thread.x])',
          tanh: 'Math.tanh(a[this.thread.x])',
          log: 'Math.log(a[this.thread.x])',
          sigmoid: '1 / (1 + Math.exp(-a[this.thread.x]))',
          relu: 'Math.max(a[this.thread.x], 0)',
        }[op]
        const inputs = (op === 'add' ? [seed, seed + 1] : [seed]).map((from) => input(operandOf(op, from, size), [size]))
        return prepared(`function (a${op === 'add' ? ', b' : ''}) { return ${result}; }`, [size], inputs, count)
      }
      if (workload.kind === 'conv') throw new Error('gpu.js has no convolution, and none is written out for it here')
      throw new Error('gpu.js runs single kernels: it has no gradients, layers or optimizers')
    },
  }
}
