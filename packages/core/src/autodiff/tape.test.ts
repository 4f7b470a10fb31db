/** The tape: its records, how they print, what they keep alive; fused and composed ops on it; and optimizer programs. */
import { afterEach, describe, expect, test } from 'vitest'
import { alive, make, near, reference, valuesOf, wasm } from '../../test/helpers.js'
import {
  applyUpdate,
  checkpoint,
  conv2d,
  customGrad,
  debug,
  defineComposed,
  type FusedKernels,
  grad,
  labelled,
  lstmCell,
  matMul,
  memory,
  ones,
  Parameter,
  record,
  registry,
  scan,
  scope,
  softmax,
  softmaxCrossEntropy,
  sum,
  type Tensor,
  tensor,
  updateProgram,
} from '../index.js'

describe('fused ops', () => {
  const fusedNames = [...registry.values()].filter((op) => op.fused).map((op) => op.name)
  test('there are some', () => {
    expect(fusedNames).toEqual(expect.arrayContaining(['softmax', 'softmaxCrossEntropy', 'conv2d', 'lstmCell']))
  })
  test('one tensor at two positions gets a cotangent for each', () => {
    const onWasm = (f: (x: Tensor) => Tensor): number[] => scope(() => valuesOf(grad(f)(tensor([[0.5, 0.25]], { backend: wasm }))))
    const exact = (f: (x: Tensor) => Tensor): number[] => scope(() => valuesOf(grad(f)(make([0.5, 0.25], [1, 2]))))
    const crossEntropy = (x: Tensor): Tensor => softmaxCrossEntropy(x, x).sum()
    expect(near(onWasm(crossEntropy), exact(crossEntropy), 1e-5)).toBe(true)
    const second = (x: Tensor): Tensor => grad(crossEntropy)(x).square().sum()
    expect(near(onWasm(second), exact(second), 1e-5)).toBe(true)
  })
  test('a fused op without a rule differentiates through its composition, also if one tensor is two inputs', () => {
    // A backend with a fused kernel for lstmCell, made of the reference's primitives.
    const backend = { ...reference, name: 'fusing', fused: { ...reference.fused } as FusedKernels }
    let calls = 0
    backend.fused.lstmCell = (out, ...inputs) => {
      calls++
      const tensors = inputs.map((x) => make(x.storage.handle as Float32Array, x.shape, 'float32'))
      const y = lstmCell(tensors[0], tensors[1], tensors[2], tensors[3], tensors[4], tensors[5])
      ;(out.storage.handle as Float32Array).set(y.storage.handle as Float32Array)
    }
    const parts = (b: typeof reference): Tensor[] => {
      const on = (values: number[], shape: number[]): Tensor => tensor(values, { shape, backend: b })
      const list = (n: number, s: number): number[] => Array.from({ length: n }, (_, i) => Math.sin(s + i))
      return [on(list(2, 1), [1, 2]), on(list(16, 2), [2, 8]), on(list(8, 3), [8])]
    }
    // x, h and c are one tensor
    const f = (x: Tensor, w: Tensor, bias: Tensor): Tensor => lstmCell(x, x, x, w, w, bias).square().sum()
    const run = (b: typeof reference): number[][] =>
      scope(() => grad((x: Tensor, w: Tensor, bias: Tensor) => f(x, w, bias))(...parts(b)).map(valuesOf))
    const [got, want] = [run(backend), run(reference)]
    expect(calls).toBe(1)
    got.forEach((g, i) => {
      expect(near(g, want[i], 1e-6), `gradient ${i}`).toBe(true)
    })
  })
  test('third derivatives through softmax and cross-entropy agree with the reference, which has nothing fused', () => {
    const nested = (f: (x: Tensor) => Tensor) => (x: Tensor) =>
      grad((z) =>
        grad((t) =>
          grad((s) => f(s))(t)
            .square()
            .sum(),
        )(z)
          .square()
          .sum(),
      )(x)
    for (const f of [(x: Tensor) => softmax(x).square().sum(), (x: Tensor) => softmaxCrossEntropy(x, x.sigmoid()).sum()]) {
      const values = [0.5, -0.25, 1]
      const got = scope(() => valuesOf(nested(f)(tensor([values], { backend: wasm }))))
      const want = scope(() => valuesOf(nested(f)(make(values, [1, 3]))))
      expect(near(got, want, 1e-4)).toBe(true)
    }
  })
  test('operands that are not float32 do not reach a fused kernel', () => {
    const logits = tensor([[2, 0, -1]], { backend: wasm })
    const want = valuesOf(softmaxCrossEntropy(logits, tensor([[1, 0, 0]], { backend: wasm })))
    for (const dtype of ['int32', 'uint8', 'bool'] as const) {
      const got = valuesOf(softmaxCrossEntropy(logits, tensor([[1, 0, 0]], { dtype, backend: wasm })))
      expect(near(got, want, 1e-6), dtype).toBe(true)
    }
    const x = ones([1, 3, 3, 1], { backend: wasm })
    expect(valuesOf(conv2d(x, ones([2, 2, 1, 1], { dtype: 'int32', backend: wasm })))).toEqual([4, 4, 4, 4])
  })
})

describe('the tape', () => {
  afterEach(() => {
    debug({ nonFinite: false, leaks: false })
  })
  const example = (): ReturnType<typeof record<Tensor>> => {
    const w = new Parameter(make([1, 2, 3, 4], [2, 2]), { name: 'dense_1/kernel' })
    const x = make([1, 2], [1, 2])
    return record([w], () => labelled('dense_1', () => softmax(matMul(x, w).add(1))).sum())
  }
  test('is a list of plain records', () => {
    scope(() => {
      const { tape, result } = example()
      const json = JSON.parse(JSON.stringify(tape))
      expect(json[0]).toEqual({
        op: 'matMul',
        inputs: [
          { tensor: 0, shape: [1, 2], dtype: 'float64' },
          { tensor: 1, shape: [2, 2], dtype: 'float64', name: 'dense_1/kernel' },
        ],
        output: { tensor: 2, shape: [1, 2], dtype: 'float64' },
        options: {},
        path: 'dense_1',
        rule: 'dA = dY·Bᵀ, dB = Aᵀ·dY',
      })
      expect(json.map((r: { op: string; path: string }) => [r.op, r.path])).toEqual([
        ['matMul', 'dense_1'],
        ['add', 'dense_1'],
        ['max', 'dense_1/softmax'],
        ['reshape', 'dense_1/softmax'],
        ['sub', 'dense_1/softmax'],
        ['exp', 'dense_1/softmax'],
        ['sum', 'dense_1/softmax'],
        ['reshape', 'dense_1/softmax'],
        ['div', 'dense_1/softmax'],
        ['sum', ''],
      ])
      expect(tape.tracks(result)).toBe(true)
    })
  })
  test('prints one line a record', () => {
    scope(() => {
      const lines = example().tape.toString().split('\n')
      expect(lines[0]).toBe('  0  %2 [1, 2] = matMul(%0 [1, 2], dense_1/kernel [2, 2])   in dense_1')
      expect(lines).toHaveLength(10)
      expect(lines[9]).toMatch(/^ {2}9 {2}%\d+ \[\] = sum\(%\d+ \[1, 2\]\) \{"first":0,"last":1\}$/)
    })
  })
  test('records only what depends on its sources, and nothing once it has run', () => {
    scope(() => {
      const [x, y] = [make([1]), make([2])]
      const { tape } = record([x], () => {
        y.square()
        return x.mul(y)
      })
      x.exp()
      expect(tape.records.map((r) => r.op.name)).toEqual(['mul'])
    })
  })
  test('backward shows each step to a visitor: the record, its cotangent, and what it adds to the inputs', () => {
    scope(() => {
      const [x, w] = [make([2], []), make([5], [])]
      const { result, tape } = record([x], () => x.mul(w).square())
      const steps: string[] = []
      const [dx] = tape.backward(result, make([1], []), [x], (r, dY, dInputs) => {
        steps.push(`${r.op.name}: ${valuesOf(dY)} → ${dInputs.map((d) => (d ? valuesOf(d) : 'null'))}`)
      })
      expect(steps).toEqual(['square: 1 → 20', 'mul: 20 → 100,null'])
      expect(valuesOf(dx as Tensor)).toEqual([100])
    })
  })
  test('recorded ops of a derivative are labelled with the op they belong to', () => {
    scope(() => {
      const x = make([2], [])
      const { tape } = record([x], () => grad((t) => labelled('cube', () => t.square().mul(t)))(x))
      const places = new Set(tape.records.map((r) => r.path))
      expect([...places]).toEqual(expect.arrayContaining(['cube', 'cube/dmul', 'cube/dsquare']))
    })
  })
  test('holds tensors made in an inner scope, or in a using block, until it has been walked', () => {
    const f = (x: Tensor): Tensor =>
      scope(() => {
        using y = x.exp()
        const z = scope(() => y.square())
        return z.mul(y).sum()
      })
    const before = alive(reference)
    scope(() => {
      expect(near(valuesOf(grad(f)(make([0.5]))), [3 * Math.exp(1.5)], 1e-12)).toBe(true)
    })
    expect(alive(reference)).toEqual(before)
  })
  test('debug({ nonFinite }) names the first op and the ranges that went in', () => {
    debug({ nonFinite: true })
    scope(() => {
      const x = tensor([1, -2, 3])
      expect(() => x.exp().add(x.log()).sum()).toThrow('log: element 1 of its output [3] is NaN.\n  input 0: float32 [3] from -2 to 3')
      expect(() => grad((t) => t.sqrt().sum())(tensor([4, 0]))).toThrow(/div: element 1 of its output \[2\] is Infinity/)
    })
  })
})

describe('optimizer programs', () => {
  const momentum = updateProgram('test-momentum', { slots: 2, inputs: 1, scalars: 2 }, ([w, m], [g], [rate, beta]) => {
    const next = m.mul(beta).add(g)
    return [w.sub(next.mul(rate)), next]
  })
  test.each([reference, wasm])('a program changes its parameters in place ($name)', (backend) => {
    const [w, m] = [new Parameter(tensor([1, 2], { backend })), new Parameter(tensor([0, 0], { backend }))]
    using g = tensor([1, -1], { backend })
    applyUpdate(momentum, [w, m], [g], [0.5, 0.5])
    applyUpdate(momentum, [w, m], [g], [0.5, 0.5])
    expect([valuesOf(w), valuesOf(m), w.version]).toEqual([[1 - 0.5 - 0.75, 2 + 0.5 + 0.75], [1.5, -1.5], 2])
  })
  test('a slot may keep its value or take that of an input', () => {
    const program = updateProgram('test-swap', { slots: 2, inputs: 1, scalars: 0 }, ([a], [g]) => [a, g])
    for (const backend of [reference, wasm]) {
      const [a, b] = [new Parameter(tensor([1, -2], { backend })), new Parameter(tensor([3, 4], { backend }))]
      applyUpdate(program, [a, b], [tensor([-7, 8], { backend })], [])
      expect([valuesOf(a), valuesOf(b)]).toEqual([
        [1, -2],
        [-7, 8],
      ])
    }
  })
  test('wrong arguments are errors that name them', () => {
    const w = new Parameter(tensor([1, 2]), { name: 'w' })
    const m = new Parameter(tensor([1, 2]))
    expect(() => applyUpdate(momentum, [w, m], [tensor([1])], [1, 1])).toThrow(
      /test-momentum: gradient and state must have the shape of parameter "w"/,
    )
    expect(() => applyUpdate(momentum, [w, m], [tensor([1, 2], { dtype: 'int32' })], [1, 1])).toThrow(
      /parameter "w" is float32, another tensor int32/,
    )
    expect(() => applyUpdate(momentum, [w, m], [tensor([1, 2], { backend: reference })], [1, 1])).toThrow(
      /"w" is on "wasm", another tensor on "reference"/,
    )
    expect(() => updateProgram('test-short', { slots: 2, inputs: 0, scalars: 0 }, ([a]) => [a])).toThrow(
      /build must return an array with the new values of 2 slots, got 1/,
    )
    expect(w.version).toBe(0)
    const again = (sign: 'add' | 'sub') => updateProgram('test-again', { slots: 1, inputs: 1, scalars: 0 }, ([p], [g]) => [p[sign](g)])
    expect(again('add')).toEqual(again('add'))
    expect(() => again('sub')).toThrow(/already another program named "test-again"/)
  })
})

describe('a composed op', () => {
  test('is labelled on the tape and leaves nothing but its result', () => {
    const name = 'testSwish'
    const call = defineComposed({
      name,
      compose: ([x], _, { mul, sigmoid }) => mul(x, sigmoid(x)),
      samples: [{ inputs: [[2]] }],
    })
    registry.delete(name)
    const x = make([1, 2])
    const before = alive(reference)
    const y = call([x], {})
    expect(alive(reference).buffers).toBe(before.buffers + 1)
    y.dispose()
    scope(() => {
      const { tape } = record([x], () => sum(call([x], {})))
      expect(tape.records.map((r) => r.path)).toEqual([name, name, ''])
    })
  })
})

test('the walk backwards frees cotangents and temporary tensors on its way', async () => {
  let afterForward = 0
  let atTheEnd = 0
  // The first op is the last of the walk: it sees what is left of the other forty.
  const probe = customGrad(
    (x) => x.add(0),
    ({ dY }) => {
      atTheEnd = memory().buffers
      return [dY.mul(1)]
    },
  )
  const dx = grad((x) => {
    let y = probe(x)
    for (let i = 0; i < 40; i++) y = y.tanh().add(y)
    const loss = y.sum()
    afterForward = memory().buffers
    return loss
  })(tensor([0.1, -0.2]))
  expect(atTheEnd - afterForward).toBeLessThan(6)
  dx.dispose()
})

describe('replay', () => {
  const network = (x: Tensor, w: Tensor): { h: Tensor; beside: Tensor; y: Tensor } => {
    const h = x.matMul(w)
    const beside = w.square()
    return { h, beside, y: h.tanh().sum().add(beside.sum()) }
  }
  const recorded = (): { x: Tensor; w: Tensor; result: ReturnType<typeof network>; tape: ReturnType<typeof record>['tape'] } => {
    const x = make([1, -2, 0.5, 3], [2, 2])
    const w = make([0.3, -0.2], [2, 1])
    return { x, w, ...record([x, w], () => network(x, w)) }
  }

  test('with another source it is the function of that source', () =>
    scope(() => {
      const { x, w, result, tape } = recorded()
      const moved = make([1, 0, 0.5, -3], [2, 2])
      expect(valuesOf(tape.replay(result.y, new Map([[x, moved]])))).toEqual(valuesOf(network(moved, w).y))
    }))

  test('a replaced activation holds whatever its inputs are, and what does not depend on it does not run', () =>
    scope(() => {
      const { x, w, result, tape } = recorded()
      const h = make([0, 1], [2, 1])
      const changed = new Map([
        [x, make([9, 9, 9, 9], [2, 2])],
        [result.h, h],
      ])
      const { result: y, tape: again } = record([h], () => tape.replay(result.y, changed))
      expect(valuesOf(y)).toEqual(valuesOf(h.tanh().sum().add(w.square().sum())))
      expect(again.records.map(({ op }) => op.name)).toEqual(['tanh', 'sum', 'add'])
      expect(tape.replay(result.beside, changed)).toBe(result.beside)
    }))

  test('a tape of another backend runs again in float64', () =>
    scope(() => {
      const logits = tensor([[0.5, 2]], { backend: wasm })
      const { result, tape } = record([logits], () => softmaxCrossEntropy(logits, [1]).sum())
      const classes = tape.records[0].inputs[1]
      const exact = new Map([
        [logits, make([0.5, 2], [1, 2])],
        [classes, tensor([1], { dtype: 'int32', backend: reference })],
      ])
      const y = tape.replay(result, exact)
      expect([y.dtype, y.backend]).toEqual(['float64', reference])
      expect(near(valuesOf(y), [Math.log(1 + Math.exp(-1.5))], 1e-12)).toBe(true)
    }))

  test('it refuses what would be silently wrong', () =>
    scope(() => {
      const { x, result, tape } = recorded()
      expect(() => tape.replay(result.y, new Map([[x, make([1], [1])]]))).toThrow('replay: a value has another shape')
      expect(() => tape.replay(result.y, [] as never)).toThrow('replay: values must be a Map, got')
      const block = checkpoint((x: Tensor) => x.tanh())
      const held = record([x], () => block(x).sum())
      expect(() => held.tape.replay(held.result, new Map([[x, make([1, 2, 3, 4], [2, 2])]]))).toThrow('Replay without checkpoint.')
      const rows = record([x], () => scan((c: Tensor, r: Tensor) => ({ carry: c.add(r) }), make([0, 0], [2]), x).carry.sum())
      expect(() => rows.tape.replay(rows.result, new Map([[x, make([1, 2, 3, 4], [2, 2])]]))).toThrow('Replay without scan.')
      const w = new Parameter(make([1, 2], [2]), { name: 'w' })
      const early = record([w], () => w.square().sum())
      w.assign(make([3, 4], [2]))
      expect(() => early.tape.replay(early.result, new Map())).toThrow('parameter "w" was changed')
      w.dispose()
    }))
})
