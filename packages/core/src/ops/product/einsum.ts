/**
 * Sums of products by labels of axes (Einstein's convention, as in NumPy).
 *
 * Operands are contracted in pairs. The labels of a pair fall into four groups: batch (in both, and still needed), inner (in both, and needed no
 * more), rows (in the first alone) and columns (in the second alone). So a pair is one batched matrix product
 * [batch, rows, inner] · [batch, inner, columns]. An operand whose axes stand in such an order is not copied.
 */
import { describeValue } from '../../arguments.js'
import { defineComposed } from '../../autodiff/dispatch.js'
import type { Ops, Sample } from '../../autodiff/op.js'
import { sampleWith } from '../../autodiff/samples.js'
import { ValueError } from '../../errors.js'
import { floatOf, promote } from '../../tensor/dtype.js'
import type { Shape } from '../../tensor/shape.js'
import { requireTensors, type Tensor } from '../../tensor/tensor.js'
import { type Labels, parseEquation } from './equation.js'

/** Makes a tensor of the operands. */
type Step = (operands: readonly Tensor[], ops: Ops) => Tensor

/** A tensor to be made, and the label of each of its axes. Labels and sizes decide everything, so terms are combined before there are values. */
interface Term {
  make: Step
  labels: Labels
}

type Sizes = ReadonlyMap<string, number>

/** The most programs that are kept. */
const MOST_PROGRAMS = 100
/** The steps of einsum, by the equation and the shapes. */
const programs = new Map<string, Step>()

const callEinsum = defineComposed<{ equation: string }>({
  name: 'einsum',
  compose: (operands, { equation }, ops) => {
    const key = `${equation}|${operands.map((x) => x.shape.join()).join('|')}`
    let program = programs.get(key)
    if (!program) {
      program = plan(
        equation,
        operands.map((x) => x.shape),
      )
      if (programs.size >= MOST_PROGRAMS) programs.clear()
      programs.set(key, program)
    }
    const dtype = floatOf(operands.map((x) => x.dtype).reduce(promote), operands[0].backend)
    const y = program(
      operands.map((x) => ops.cast(x, dtype)),
      ops,
    )
    return operands.includes(y) ? ops.viewOf(y) : y
  },
  samples: einsumSamples(),
})

function plan(equation: string, shapes: readonly Shape[]): Step {
  const { inputs, output, sizes } = parseEquation(equation, shapes)
  const terms = shapes.map((shape, i) => simplified({ make: (operands) => operands[i], labels: inputs[i] }, shape, sizes))
  while (terms.length > 1) {
    const [i, j] = cheapestPair(terms, sizes)
    const [b] = terms.splice(j, 1)
    const [a] = terms.splice(i, 1)
    const needed = (label: string): boolean => output.includes(label) || terms.some(({ labels }) => labels.includes(label))
    const left = summed(a, (l) => needed(l) || b.labels.includes(l))
    const right = summed(b, (l) => needed(l) || a.labels.includes(l))
    terms.splice(i, 0, contract(left, right, needed, output, sizes))
  }
  return ordered(
    summed(terms[0], (label) => output.includes(label)),
    output,
  ).make
}

/**
 * The sum of products that `equation` writes with one letter an axis: y[output] = Σ a[..]·b[..]·… over every letter that the output leaves out.
 *
 * A letter twice in one operand takes its diagonal. `...` stands for any axes, which broadcast. Without `->` the output has the letters that occur
 * once, in alphabetical order, and `...` first. Spaces don't count.
 *
 * Shape:    'ij,jk->ik': [i, j], [j, k] → [i, k]
 * Gradient: through the products
 * Cost:     a batched `matMul` for each pair of operands, the cheapest pair first. Operands are copied where their axes must be reordered for it
 *
 * @throws ValueError for an equation that is none; ShapeError where the sizes of a letter differ.
 * @example
 * ```ts
 * const scores = einsum('bqhd,bkhd->bhqk', ones([2, 3, 4, 5]), ones([2, 6, 4, 5]))   // [2, 4, 3, 6]
 * einsum('ii', tensor([[1, 2], [3, 4]]))   // 5
 * ```
 */
export function einsum(equation: string, ...operands: readonly Tensor[]): Tensor {
  if (typeof equation !== 'string') {
    throw new ValueError(`einsum: the equation must be text such as 'ij,jk->ik', got ${describeValue(equation)}.`)
  }
  requireTensors('einsum', 'operands', operands)
  return callEinsum(operands, { equation })
}

/** Without labels that occur twice (their diagonal is taken), and without axes of size 1 that another operand broadcasts. */
function simplified(whole: Term, shape: Shape, sizes: Sizes): Term {
  let term = whole
  for (const label of new Set(whole.labels)) {
    while (term.labels.indexOf(label) !== term.labels.lastIndexOf(label)) {
      const { make, labels } = term
      const pair = [labels.indexOf(label), labels.lastIndexOf(label)]
      const others = labels.flatMap((_, i) => (pair.includes(i) ? [] : [i]))
      term = {
        make: (operands, ops) => ops.diagonal(ops.transpose(make(operands, ops), [...others, ...pair])),
        labels: [...others.map((i) => labels[i]), label],
      }
    }
  }
  const sizeIn = (label: string): number => shape[whole.labels.indexOf(label)]
  return shaped(
    term,
    term.labels.filter((label) => sizeIn(label) !== 1 || sizes.get(label) === 1),
    sizeIn,
  )
}

/** Reshaped to an axis for each label, if the labels differ from those that the term has. */
function shaped({ make, labels }: Term, wanted: Labels, sizeIn: (label: string) => number): Term {
  const shape = wanted.map(sizeIn)
  return { make: same(labels, wanted) ? make : (operands, ops) => ops.reshape(make(operands, ops), shape), labels: wanted }
}

const same = (a: Labels, b: Labels): boolean => a.join() === b.join()

/** Summed over the labels that nobody needs. */
function summed({ make, labels }: Term, needed: (label: string) => boolean): Term {
  const axis = labels.flatMap((label, i) => (needed(label) ? [] : [i]))
  if (axis.length === 0) return { make, labels }
  return { make: (operands, ops) => ops.sum(make(operands, ops), { axis }), labels: labels.filter(needed) }
}

/** The axes of a term in the order of `wanted`. */
function ordered({ make, labels }: Term, wanted: Labels): Term {
  if (same(labels, wanted)) return { make, labels }
  const axes = wanted.map((label) => labels.indexOf(label))
  return { make: (operands, ops) => ops.transpose(make(operands, ops), axes), labels: wanted }
}

/** The positions of the two terms whose product has the fewest multiplications. */
function cheapestPair(terms: readonly Term[], sizes: Sizes): [number, number] {
  let best: [number, number] = [0, 1]
  let least = Infinity
  for (let j = 1; j < terms.length; j++) {
    for (let i = 0; i < j; i++) {
      const cost = sizeOf([...new Set([...terms[i].labels, ...terms[j].labels])], sizes)
      if (cost < least) [best, least] = [[i, j], cost]
    }
  }
  return best
}

const sizeOf = (labels: Labels, sizes: Sizes): number => labels.reduce((n, label) => n * (sizes.get(label) as number), 1)

/** The product of two terms, summed over the labels that both have and nobody else needs. `output` is the order that would be best. */
function contract(a: Term, b: Term, needed: (label: string) => boolean, output: Labels, sizes: Sizes): Term {
  const rows = a.labels.filter((label) => !b.labels.includes(label))
  const columns = b.labels.filter((label) => !a.labels.includes(label))
  const inner = a.labels.filter((label) => b.labels.includes(label) && !needed(label))
  if (inner.length === 0 || rows.length + columns.length === 0) {
    const labels = [...a.labels, ...columns]
    const [left, right] = [a, b].map((term) => spreadOver(term, labels, sizes))
    return summed(
      { make: (operands, ops) => ops.mul(left(operands, ops), right(operands, ops)), labels },
      (label) => !inner.includes(label),
    )
  }
  // In the order of the operand that then needs no copy.
  const shared = (of: Term): [Labels, Labels] => [
    of.labels.filter((label) => a.labels.includes(label) && b.labels.includes(label) && needed(label)),
    of.labels.filter((label) => inner.includes(label)),
  ]
  const inOrder = (of: Labels, ...wanted: Labels[]): boolean => same(of, wanted.flat())
  const [batchOfA, innerOfA] = shared(a)
  const fitsA = inOrder(a.labels, batchOfA, rows, innerOfA) || inOrder(a.labels, batchOfA, innerOfA, rows)
  const [batch, k] = fitsA ? [batchOfA, innerOfA] : shared(b)
  const lead = batch.length > 0 ? [sizeOf(batch, sizes)] : []
  /** As [batch, first, second], or transposed if that is how it stands. */
  const matrices = (term: Term, first: Labels, second: Labels): { make: Step; transposed: boolean } => {
    const transposed = inOrder(term.labels, batch, second, first) && !inOrder(term.labels, batch, first, second)
    const [m, n] = transposed ? [second, first] : [first, second]
    const { make } = ordered(term, [...batch, ...m, ...n])
    return { make: reshaped(make, [batch, m, n], [...lead, sizeOf(m, sizes), sizeOf(n, sizes)]), transposed }
  }
  const left = matrices(a, rows, k)
  const right = matrices(b, k, columns)
  const place = (labels: Labels): number => Math.min(...labels.map((label) => output.indexOf(label) >>> 0))
  const swapped = place(columns) < place(rows)
  const product: Step = swapped
    ? (operands, ops) =>
        ops.matMul(right.make(operands, ops), left.make(operands, ops), { transposeA: !right.transposed, transposeB: !left.transposed }) // (A·B)ᵀ = Bᵀ·Aᵀ
    : (operands, ops) =>
        ops.matMul(left.make(operands, ops), right.make(operands, ops), { transposeA: left.transposed, transposeB: right.transposed })
  const groups = swapped ? [batch, columns, rows] : [batch, rows, columns]
  const labels = groups.flat()
  return {
    make: reshaped(
      product,
      groups,
      labels.map((label) => sizes.get(label) as number),
    ),
    labels,
  }
}

/** Reshaped between an axis for each label and an axis for each group of labels; both are the same if a group has one label, or the batch none. */
function reshaped(make: Step, [batch, ...others]: readonly Labels[], shape: Shape): Step {
  if (batch.length <= 1 && others.every((labels) => labels.length === 1)) return make
  return (operands, ops) => ops.reshape(make(operands, ops), shape)
}

/** With an axis for each label: of size 1 where the term has none. */
function spreadOver(term: Term, labels: Labels, sizes: Sizes): Step {
  const own = ordered(
    term,
    labels.filter((label) => term.labels.includes(label)),
  )
  return shaped(own, labels, (label) => (own.labels.includes(label) ? (sizes.get(label) as number) : 1)).make
}

function einsumSamples(): Sample<{ equation: string }>[] {
  const by = (equation: string) => ({ equation })
  return [
    sampleWith(by('ij,jk->ik'), [2, 3], [3, 5]),
    sampleWith(by('ij,kj->ki'), [3, 5], [2, 5]),
    sampleWith(by('ii->i'), [3, 3]),
    sampleWith(by('iji->j'), [3, 2, 3]),
    sampleWith(by('...ij,...jk'), [2, 1, 3, 2], [5, 2, 3]),
    sampleWith(by('bqhd,bkhd->bhqk'), [2, 3, 1, 5], [2, 4, 1, 5]),
    sampleWith(by('bn,anm,bm->ba'), [2, 3], [3, 3, 2], [2, 2]),
    sampleWith(by('i,->i'), [3], []),
    sampleWith(by('i,i'), [5], [1]),
    sampleWith(by('ij,jk->ik'), [0, 3], [3, 2]),
    sampleWith(by('ij,jk->ik'), [2, 0], [0, 3]),
    sampleWith(by('bij,bkj->bik'), [2, 40, 18], [2, 24, 18]),
  ]
}
