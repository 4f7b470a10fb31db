/**
 * The solutions of the exercises: the library's own text, cut from packages/core. What the cuts need to stand alone (names that their files import) is written
 * round them, so that a solution runs in the editor of the page and is checked as any answer is.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { out, top } from './places.js'

/** A piece of a file of packages/core/src/ops: the value of a property after some text, or a declaration by its name. */
type Cut =
  | { readonly file: string; readonly after: string; readonly property: string }
  | { readonly file: string; readonly declaration: string }

/** A piece as the page shows it. */
export interface Piece {
  /** From the top of the repository. */
  readonly file: string
  readonly line: number
  readonly text: string
}

export interface Solution {
  /** Code for the editor: the pieces, and what they need. */
  readonly code: string
  readonly pieces: readonly Piece[]
}

const elementwise = 'elementwise/elementwise.ts'
const binary = 'elementwise/binary.ts'
const vjpOf = (file: string, after: string): Cut => ({ file, after, property: 'vjp' })
const composeOf = (file: string, after: string): Cut => ({ file, after, property: 'compose' })
const named = (file: string, declaration: string): Cut => ({ file, declaration })

/** A row of the table of functions of one tensor. */
const unary = (name: string): Recipe => ({
  cuts: { row: vjpOf(elementwise, `unary('${name}'`) },
  code: `const row = {row}

export const vjp = ({ dY, y }, [x], ops) => [() => row(dY, x, y, ops)]`,
})
/** A row of the table of functions of two tensors, and what all rows share. */
const pair = (name: string): Recipe => ({
  cuts: { row: vjpOf(binary, `binary('${name}'`), shared: vjpOf(binary, 'forward: (k, out, [a, b]) => k.zip') },
  code: `const withRow = (vjp) => {shared}

export const vjp = withRow({row})`,
})

interface Recipe {
  readonly cuts: Readonly<Record<string, Cut>>
  /** \`{name}\` stands for a cut. */
  readonly code: string
}

const ops = `import * as ops from '@cotangent/core'\n`
const last = named('reduce/softmax.ts', 'last')

const recipes: Readonly<Record<string, Recipe>> = {
  tanh: unary('tanh'),
  mul: pair('mul'),
  add: pair('add'),
  mean: {
    cuts: {
      sum: vjpOf('reduce/reduce.ts', "reduction('sum'"),
      kept: named('reduce/reduce.ts', 'withReducedAxes'),
      mean: composeOf('reduce/reduce.ts', "name: 'mean'"),
    },
    code: `// mean has no rule of its own. It is the sum divided by n, and the sum has this rule:
{kept}
const ofSum = {sum}

export const vjp = ({ dY, options: { axis } }, [x], ops) => {
  const axes = axis === undefined ? x.shape.map((_, i) => i) : [axis].flat().map((i) => (i < 0 ? i + x.rank : i))
  const options = { first: Math.min(...axes), last: Math.max(...axes) } // axes that are neighbours
  return ofSum({ dY: ops.div(dY, x.size / dY.size), options }, [x], ops)
}`,
  },
  matmul: { cuts: { rule: vjpOf('product/matmul.ts', "name: 'matMul'") }, code: 'export const vjp = {rule}' },
  transpose: { cuts: { rule: vjpOf('shape/move.ts', "name: 'transpose'") }, code: 'export const vjp = {rule}' },
  relu: unary('relu'),
  softplus: unary('softplus'),
  softmax: { cuts: { last, rule: vjpOf('reduce/softmax.ts', "name: 'softmax'") }, code: '{last}\nexport const vjp = {rule}' },
  'softmax-cross-entropy': {
    cuts: {
      last,
      gradient: composeOf('reduce/cross-entropy.ts', "name: 'softmaxCrossEntropyGradient'"),
      rule: named('reduce/cross-entropy.ts', 'crossEntropyVjp'),
    },
    code: `${ops}
{last}
const composed = {gradient}
const callCrossEntropyGradient = (inputs, options) => composed(inputs, options, ops)

{rule}
export const vjp = crossEntropyVjp`,
  },
  gather: { cuts: { rule: vjpOf('shape/gather.ts', "name: 'gather'") }, code: 'export const vjp = {rule}' },
  'max-pooling': {
    cuts: {
      first: named('windows/pool.ts', 'firstLargest'),
      rule: composeOf('windows/pool.ts', "name: 'maxPool2dGradient'"),
    },
    code: `${ops}
// In the library a window is worked out once for all that slides; here they lie side by side.
const geometry = ([n, h, w, c], { poolSize: [ph, pw] }) => ({ kernelSize: [ph, pw], outSize: [h / ph, w / pw] })
const side = (window) => ({ strides: window.kernelSize })
const unfoldWindows = (x, window) => ops.unfold(x, window.kernelSize, side(window))
const foldWindows = (x, shape, window) => ops.fold(x, [shape[1], shape[2]], side(window))

{first}
const gradient = {rule}

export const vjp = ({ dY, options }, [x], ops) => [() => gradient([x, dY], options, ops)]`,
  },
  convolution: {
    cuts: {
      rule: vjpOf('windows/convolution.ts', "name: 'conv2d'"),
      transposed: composeOf('windows/convolution.ts', "name: 'conv2dTranspose'"),
      filter: composeOf('windows/convolution.ts', "name: 'conv2dFilterGradient'"),
    },
    code: `${ops}
// The two adjoints are ops of their own. The library shows below how they are made of matMul, unfold and fold.
const transposed = ([dY, filter], { size, ...options }) => ops.conv2dTranspose(dY, filter, size, options)
const filterGradient = ([x, dY], { kernelSize, ...options }) => ops.conv2dFilterGradient(x, dY, kernelSize, options)

export const vjp = {rule}`,
  },
  'layer-normalisation': {
    cuts: {
      row: named('reduce/normalize.ts', 'overRow'),
      affine: named('reduce/normalize.ts', 'affine'),
      unit: named('reduce/normalize.ts', 'unitRows'),
      gradient: composeOf('reduce/normalize.ts', "name: 'layerNormGradient'"),
    },
    code: `{row}
{affine}
{unit}
const gradient = {gradient}

export const vjp = ({ dY, options }, [x, gamma, beta], ops) => [
  () => gradient([x, dY, gamma], options, ops),
  () => ops.sumTo(ops.mul(dY, unitRows(x, options.epsilon, ops).unit), gamma.shape),
  () => ops.sumTo(dY, beta.shape),
]`,
  },
  attention: {
    cuts: Object.fromEntries([
      ...['groupedRows', 'pairProducts', 'weighedSums', 'sumsOverQueries', 'openScores', 'weightsOf', 'scoreGradients'].map((name) => [
        name,
        named('attention/attention.ts', name),
      ]),
      ['gradient', composeOf('attention/attention.ts', "name: 'scaledDotProductAttentionGradient'")],
      ['rule', vjpOf('attention/attention.ts', "kernel: 'attention',")],
    ]),
    code: `${ops}
{groupedRows}
{pairProducts}
{weighedSums}
{sumsOverQueries}
{openScores}
{weightsOf}
{scoreGradients}
const composed = {gradient}
const callGradient = (inputs, options) => composed(inputs, options, ops)
const once = (f) => {
  let made
  return () => (made ??= f())
}

export const vjp = {rule}`,
  },
  'lstm-cell': {
    cuts: {
      gate: named('recurrent/gates.ts', 'gate'),
      gateVjp: named('recurrent/gates.ts', 'gateVjp'),
      step: named('recurrent/lstm-cell.ts', 'lstmStep'),
      back: { file: 'recurrent/lstm.ts', after: "name: 'lstmSequenceGradient'", property: 'back' },
    },
    code: `{gate}
{gateVjp}
{step}
// One step back of a whole sequence; dParts are the derivatives of the gates themselves, which a cell does not give out.
const back = {back}

export const vjp = ({ dY }, [x, h, c, W, U, b], ops) => {
  const z = ops.add(ops.add(ops.matMul(x, W), ops.matMul(h, U)), b)
  const parts = lstmStep(z, c, 'sigmoid', ops)
  const dStates = ops.unstack(dY)
  const dParts = parts.map((part) => ops.zerosLike(part))
  const at = { dStates, dParts, parts, before: [c], weights: [U], drop: (x) => x }
  const { dZ, dBefore } = back(at, { recurrentActivation: 'sigmoid' }, ops)
  return [
    () => ops.matMul(dZ, W, { transposeB: true }),
    () => dBefore[0],
    () => dBefore[1],
    () => ops.matMul(x, dZ, { transposeA: true }),
    () => ops.matMul(h, dZ, { transposeA: true }),
    () => ops.sum(dZ, { axis: 0 }),
  ]
}`,
  },
}

const parsed = new Map<string, ts.SourceFile>()
function sourceOf(path: string): ts.SourceFile {
  const known = parsed.get(path) ?? ts.createSourceFile(path, readFileSync(join(top, path), 'utf8'), ts.ScriptTarget.Latest, true)
  parsed.set(path, known)
  return known
}

/** The first node, in the order of the text, for which `f` holds. */
function find(node: ts.Node, f: (node: ts.Node) => boolean): ts.Node | undefined {
  return f(node) ? node : ts.forEachChild(node, (child) => find(child, f))
}

function cutOut(cut: Cut): Piece & { readonly declares: boolean } {
  const file = `packages/core/src/ops/${cut.file}`
  const source = sourceOf(file)
  let node: ts.Node | undefined
  if ('declaration' in cut) {
    node = find(
      source,
      (each) =>
        (ts.isFunctionDeclaration(each) && each.name?.text === cut.declaration) ||
        (ts.isVariableStatement(each) && each.declarationList.declarations.some(({ name }) => name.getText() === cut.declaration)),
    )
  } else {
    const from = source.text.indexOf(cut.after)
    const owner =
      from < 0
        ? undefined
        : find(source, (each) => ts.isPropertyAssignment(each) && each.name.getText() === cut.property && each.getStart() > from)
    node = owner && (owner as ts.PropertyAssignment).initializer
  }
  if (!node) throw new Error(`The solution of an exercise is no longer where it was: ${JSON.stringify(cut)} in ${file}.`)
  const start = node.getStart()
  const { line, character } = source.getLineAndCharacterOfPosition(start)
  // As far to the left as the line it begins in.
  const indent = /^ */.exec(source.text.slice(start - character))?.[0].length ?? 0
  const text = node.getText().replaceAll(`\n${' '.repeat(indent)}`, '\n')
  return { file, line: line + 1, text, declares: 'declaration' in cut }
}

/** All solutions, by the id of the exercise. */
export function solutions(): Record<string, Solution> {
  return Object.fromEntries(
    Object.entries(recipes).map(([id, { cuts, code }]): [string, Solution] => {
      const pieces = Object.fromEntries(Object.entries(cuts).map(([name, cut]) => [name, cutOut(cut)]))
      const filled = code.replace(/\{(\w+)\}/g, (whole, name: string) => pieces[name]?.text.replace(/^export /, '') ?? whole)
      return [id, { code: `${filled}\n`, pieces: Object.values(pieces).map(({ file, line, text }) => ({ file, line, text })) }]
    }),
  )
}

/** Writes data/exercises.json, which the page asks for when the reader wants to see a solution. */
export function exercises(): void {
  mkdirSync(join(out, 'data'), { recursive: true })
  writeFileSync(join(out, 'data/exercises.json'), JSON.stringify(solutions()))
}
