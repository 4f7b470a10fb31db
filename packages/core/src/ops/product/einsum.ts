/**
 * Sums of products by labels of axes (Einstein's convention, as in NumPy).
 *
 * Operands are contracted in pairs. The labels of a pair fall into four groups: batch (in both, and still needed), inner (in both, and needed no
 * more), rows (in the first alone) and columns (in the second alone). So a pair is one batched matrix product
 * [batch, rows, inner] · [batch, inner, columns]. An operand whose axes stand in such an order is not copied.
 */
import { defineComposed } from '../../autodiff/dispatch.js'
import type { Ops, Sample } from '../../autodiff/op.js'
import { sampleWith } from '../../autodiff/samples.js'
import { floatOf, promote } from '../../tensor/dtype.js'
import { requireTensors, type Tensor } from '../../tensor/tensor.js'
import { type Labels, parseEquation } from './equation.js'

/** A tensor and the label of each of its axes. */
interface Term {
  x: Tensor
  labels: Labels
}

type Sizes = ReadonlyMap<string, number>

const callEinsum = defineComposed<{ equation: string }>({
  name: 'einsum',
  compose: (operands, { equation }, ops) => {
    const { inputs, output, sizes } = parseEquation(
      equation,
      operands.map((x) => x.shape),
    )
    const dtype = floatOf(operands.map((x) => x.dtype).reduce(promote), operands[0].backend)
    const terms = operands.map((x, i) => simplified({ x: ops.cast(x, dtype), labels: inputs[i] }, sizes, ops))
    while (terms.length > 1) {
      const [i, j] = cheapestPair(terms, sizes)
      const [b] = terms.splice(j, 1)
      const [a] = terms.splice(i, 1)
      const needed = (label: string): boolean => output.includes(label) || terms.some(({ labels }) => labels.includes(label))
      terms.splice(
        i,
        0,
        contract(
          summed(a, (l) => needed(l) || b.labels.includes(l), ops),
          summed(b, (l) => needed(l) || a.labels.includes(l), ops),
          needed,
          output,
          sizes,
          ops,
        ),
      )
    }
    return ordered(
      summed(terms[0], (label) => output.includes(label), ops),
      output,
      ops,
    )
  },
  samples: einsumSamples(),
})

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
  requireTensors('einsum', 'operands', operands)
  return callEinsum(operands, { equation })
}

/** Without labels that occur twice (their diagonal is taken), and without axes of size 1 that another operand broadcasts. */
function simplified({ x, labels }: Term, sizes: Sizes, ops: Ops): Term {
  let term: Term = { x, labels }
  for (const label of new Set(labels)) {
    while (term.labels.indexOf(label) !== term.labels.lastIndexOf(label)) {
      const pair = [term.labels.indexOf(label), term.labels.lastIndexOf(label)]
      const others = term.labels.flatMap((_, i) => (pair.includes(i) ? [] : [i]))
      const diagonal = ops.diagonal(ops.transpose(term.x, [...others, ...pair]))
      term = { x: diagonal, labels: [...others.map((i) => term.labels[i]), label] }
    }
  }
  const kept = term.labels.flatMap((label, i) => (term.x.shape[i] === 1 && sizes.get(label) !== 1 ? [] : [i]))
  return {
    x: ops.reshape(
      term.x,
      kept.map((i) => term.x.shape[i]),
    ),
    labels: kept.map((i) => term.labels[i]),
  }
}

/** Summed over the labels that nobody needs. */
function summed({ x, labels }: Term, needed: (label: string) => boolean, ops: Ops): Term {
  const axis = labels.flatMap((label, i) => (needed(label) ? [] : [i]))
  return axis.length === 0 ? { x, labels } : { x: ops.sum(x, { axis }), labels: labels.filter(needed) }
}

/** The axes of a term in the order of `labels`. */
const ordered = ({ x, labels }: Term, order: Labels, ops: Ops): Tensor =>
  ops.transpose(
    x,
    order.map((label) => labels.indexOf(label)),
  )

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
function contract(a: Term, b: Term, needed: (label: string) => boolean, output: Labels, sizes: Sizes, ops: Ops): Term {
  const rows = a.labels.filter((label) => !b.labels.includes(label))
  const columns = b.labels.filter((label) => !a.labels.includes(label))
  const inner = a.labels.filter((label) => b.labels.includes(label) && !needed(label))
  if (inner.length === 0 || rows.length + columns.length === 0) {
    const labels = [...a.labels, ...columns]
    const product = ops.mul(spreadOver(a, labels, ops), spreadOver(b, labels, ops))
    return summed({ x: product, labels }, (label) => !inner.includes(label), ops)
  }
  // In the order of the operand that then needs no copy.
  const shared = (of: Term): [Labels, Labels] => [
    of.labels.filter((label) => a.labels.includes(label) && b.labels.includes(label) && needed(label)),
    of.labels.filter((label) => inner.includes(label)),
  ]
  const inOrder = (of: Labels, ...wanted: Labels[]): boolean => of.join() === wanted.flat().join()
  const [batchOfA, innerOfA] = shared(a)
  const fitsA = inOrder(a.labels, batchOfA, rows, innerOfA) || inOrder(a.labels, batchOfA, innerOfA, rows)
  const [batch, k] = fitsA ? [batchOfA, innerOfA] : shared(b)
  /** As [batch, first, second], or transposed if that is how it stands. */
  const matrices = (term: Term, first: Labels, second: Labels): { x: Tensor; transposed: boolean } => {
    const transposed = inOrder(term.labels, batch, second, first) && !inOrder(term.labels, batch, first, second)
    const [m, n] = transposed ? [second, first] : [first, second]
    const lead = batch.length > 0 ? [sizeOf(batch, sizes)] : []
    return { x: ops.reshape(ordered(term, [...batch, ...m, ...n], ops), [...lead, sizeOf(m, sizes), sizeOf(n, sizes)]), transposed }
  }
  const left = matrices(a, rows, k)
  const right = matrices(b, k, columns)
  const place = (labels: Labels): number => Math.min(...labels.map((label) => output.indexOf(label) >>> 0))
  const swapped = place(columns) < place(rows)
  const product = swapped
    ? ops.matMul(right.x, left.x, { transposeA: !right.transposed, transposeB: !left.transposed }) // (A·B)ᵀ = Bᵀ·Aᵀ
    : ops.matMul(left.x, right.x, { transposeA: left.transposed, transposeB: right.transposed })
  const labels = swapped ? [...batch, ...columns, ...rows] : [...batch, ...rows, ...columns]
  return {
    x: ops.reshape(
      product,
      labels.map((label) => sizes.get(label) as number),
    ),
    labels,
  }
}

/** With an axis for each label: of size 1 where the term has none. */
function spreadOver(term: Term, labels: Labels, ops: Ops): Tensor {
  const own = labels.filter((label) => term.labels.includes(label))
  const x = ordered(term, own, ops)
  return ops.reshape(
    x,
    labels.map((label) => (own.includes(label) ? x.shape[own.indexOf(label)] : 1)),
  )
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
