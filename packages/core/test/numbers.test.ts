/**
 * The table of errors, op by op and backend by backend: numbers.json, and the same in docs/trust.md. `UPDATE_NUMBERS=1 npx vitest run core/test/numbers` measures and writes
 * both. A change that is less exact than the table says shows on wasm here; the engines of gpu.js have a sweep of their own.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createGpuBackend, createReferenceBackend, createWasmBackend, type GpuMode, registry } from '../src/index.js'
import { toleranceOf } from './gpu/checks.js'
import { type Errors, errorsOf, type Numbers, tableOf } from './numbers.js'
import { wasmTolerance } from './sweep.js'

const modes = ['cpu', 'webasm'] as const satisfies readonly GpuMode[]
const path = join(import.meta.dirname, 'numbers.json')
const page = join(import.meta.dirname, '../../../docs/trust.md')
const [begin, end] = ['<!-- numbers: written by packages/core/test/numbers.test.ts -->', '<!-- end of numbers -->']

const ops = [...registry.values()].filter((op) => op.samples.length > 0)
const reference = createReferenceBackend()
const wasm = createWasmBackend({ threads: 1 })

const stored = (): Numbers => JSON.parse(readFileSync(path, 'utf8')) as Numbers
const section = (text: string): [number, number] => [text.indexOf(begin), text.indexOf(end) + end.length]

test.runIf(process.env.UPDATE_NUMBERS)(
  'measures and writes the table',
  async () => {
    const engines = await Promise.all(modes.map(async (mode) => [`gpu ${mode}`, await createGpuBackend({ mode })] as const))
    const numbers: Numbers = {}
    for (const op of ops) {
      numbers[op.name] = {}
      for (const [name, backend] of [['wasm', wasm] as const, ...engines]) numbers[op.name][name] = await errorsOf(op, backend, reference)
    }
    const rows = Object.entries(numbers).map(([op, of]) => `${JSON.stringify(op)}: ${JSON.stringify(of)}`)
    writeFileSync(path, `{\n${rows.join(',\n')}\n}\n`)
    const text = readFileSync(page, 'utf8')
    const [from, to] = section(text)
    writeFileSync(page, `${text.slice(0, from)}${begin}\n\n${tableOf(numbers)}\n\n${end}${text.slice(to)}`)
  },
  1_800_000,
)

test('the table has a row for every op of the registry, and the page shows it', () => {
  expect(Object.keys(stored())).toEqual(ops.map(({ name }) => name))
  const text = readFileSync(page, 'utf8')
  expect(text.slice(...section(text)).split('\n')).toEqual(`${begin}\n\n${tableOf(stored())}\n\n${end}`.split('\n'))
})

test('no figure is beyond the bounds of the sweeps', () => {
  const beyond = Object.entries(stored()).flatMap(([op, of]) =>
    Object.entries(of).flatMap(([name, errors]) => {
      const limit = name === 'wasm' ? wasmTolerance : toleranceOf(name.replace('gpu ', '') as GpuMode)
      return (['value', 'first', 'second'] as const)
        .filter((which) => (errors[which] ?? 0) > limit[which])
        .map((which) => `${op} on ${name}: ${which}`)
    }),
  )
  expect(beyond).toEqual([])
})

test.each(ops.map((op) => [op.name, op] as const))('wasm is as exact as the table says: %s', async (name, op) => {
  const [got, written] = [await errorsOf(op, wasm, reference), stored()[name].wasm]
  // Fused multiply-add, where V8 has it, rounds otherwise: up to twice the error, or two units of float32.
  const most = (which: keyof Errors): number => 2 * (written[which] ?? 0) + (which === 'ulp' ? 2 : 2 ** -22)
  const less = (['value', 'ulp', 'first', 'second'] as const).filter((which) => !((got[which] ?? 0) <= most(which)))
  expect(less.map((which) => `${which}: ${got[which]}, table ${written[which]}`)).toEqual([])
})
