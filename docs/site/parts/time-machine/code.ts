/** The loss of a step as code for the tape explorer: the weights of that moment, its batch, and the ops of its tape. */
import type { Shown } from './run.js'
import type { View } from './worker.js'

/** As few digits as give the same float32 again. */
function digits(value: number): string {
  for (let n = 1; n < 9; n++) {
    const text = String(Number(value.toPrecision(n)))
    if (Math.fround(Number(text)) === value) return text
  }
  return String(Number(value.toPrecision(9)))
}

function literal({ shape, values }: Shown): string {
  const list = (from: number, count: number): string => `[${Array.from(values.subarray(from, from + count), digits).join(', ')}]`
  if (shape.length < 2) return list(0, values.length)
  return `[\n${Array.from({ length: shape[0] }, (_, row) => `  ${list(row * shape[1], shape[1])},`).join('\n')}\n]`
}

/** Undefined for a network whose weights are too many for an address. */
export function codeOf({ setup, step, parameters, tape }: View): string | undefined {
  if (setup.problem === 'digits') return undefined
  const constantOf = (op: string, place: number, input: number): Shown | undefined =>
    tape.filter((each) => each.op === op)[place]?.inputs[input].constant
  const x = constantOf('affine', 0, 0)
  const t = constantOf('mulNoNaN', 0, 1)
  if (!x || !t) return undefined
  const masks = tape.filter(({ op }) => op === 'maskedScale')
  const lines = [
    `// Step ${step} of the time machine: the weights of that moment, and its batch.`,
    `import { affine, Parameter, tensor } from '@cotangent/core'`,
    '',
    `const x = tensor(${literal(x)})`,
    `const t = tensor(${literal(t)})`,
    ...parameters.map(({ weight }, i) => `const ${'Wb'[i % 2]}${Math.floor(i / 2) + 1} = new Parameter(tensor(${literal(weight)}))`),
    ...masks.map(({ inputs, options }, i) => {
      const { factor } = options as { factor: number }
      const mask = inputs[1].constant as Shown
      return `const kept${i + 1} = tensor(${literal(mask)}).mul(${factor}) // what dropout keeps, and scales`
    }),
    '',
    'const h1 = affine(x, W1, b1).tanh()',
    ...(masks.length > 0 ? ['const d1 = h1.mul(kept1)'] : []),
    `const h2 = affine(${masks.length > 0 ? 'd1' : 'h1'}, W2, b2).tanh()`,
    ...(masks.length > 1 ? ['const d2 = h2.mul(kept2)'] : []),
    `const z = affine(${masks.length > 1 ? 'd2' : 'h2'}, W3, b3) // logits`,
    'const ifOne = z.neg().softplus().mul(t)',
    'const ifZero = z.softplus().mul(t.neg().add(1))',
    'const loss = ifOne.add(ifZero).mean()',
  ]
  return `${lines.join('\n')}\n`
}

/** The address of the explorer with this code: base64 of its UTF-8, for addresses. */
export const explorerHash = (code: string): string => {
  const binary = Array.from(new TextEncoder().encode(code), (byte) => String.fromCharCode(byte)).join('')
  return `#code=${btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')}`
}
