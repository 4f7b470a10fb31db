/** Every exported function, with junk in the place of each argument and option: an error of ours that begins with the function's name. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import * as formats from '../src/formats/index.js'
import * as api from '../src/index.js'
import { type Argument, type Junk, junk, type Row, rowsIn } from './junk.js'

const dir = await mkdtemp(join(tmpdir(), 'cotangent-junk-'))
afterAll(() => rm(dir, { recursive: true, force: true }))
// Nothing here may find this machine's own data or reach the network, whatever a loader makes of its options.
vi.stubEnv('COTANGENT_DATA', '')
vi.stubEnv('COTANGENT_CACHE', join(dir, 'cache'))
vi.stubGlobal('fetch', () => Promise.reject(new TypeError('fetch failed')))
const rows = await rowsIn(dir)

/** Names of the functions of a module, of those in its namespaces, and of the methods of its classes. */
function functionsOf(module: object, prefix = ''): string[] {
  return Object.entries(module).flatMap(([name, value]): string[] => {
    const full = prefix + name
    if (value?.[Symbol.toStringTag] === 'Module') return functionsOf(value, `${full}.`)
    if (typeof value !== 'function') return []
    if (!/^class\b/.test(String(value))) return [full]
    const methods = Object.entries(Object.getOwnPropertyDescriptors(value.prototype)).flatMap(([method, { value: body }]) =>
      typeof body === 'function' && method !== 'constructor' ? [`${full}.${method}`] : [],
    )
    return [full, ...methods]
  })
}

test('every exported function has a row', () => {
  expect(Object.keys(rows).sort()).toEqual([...new Set([...functionsOf(api), ...functionsOf(formats)])].sort())
})

const goodArgs = ({ args }: Row): unknown[] => args.map(({ good }) => good)

async function thrownBy(row: Row, args: readonly unknown[]): Promise<unknown> {
  try {
    await row.call(...(args as never[]))
    return undefined
  } catch (error) {
    return error ?? 'nothing, thrown'
  }
}

/** Why an outcome is wrong; undefined if it is right. */
function problem(name: string, { takes, about }: Argument, kind: Junk, error: unknown): string | undefined {
  if (takes.includes(kind)) return error === undefined ? undefined : `is refused: ${error}`
  if (error === undefined) return 'is accepted'
  if (!(error instanceof api.DatasetError)) return `throws ${error}`
  const absent = kind === 'undefined' || kind === 'text' || kind === 'a number as text'
  if (error.message.startsWith(`${name}: `) || (about !== undefined && absent && error.message.startsWith(about))) return undefined
  return `does not name the function: ${error.message}`
}

test.each(Object.entries(rows))('%s', async (name, row) => {
  expect(await thrownBy(row, goodArgs(row)), 'right arguments').toBeUndefined()
  const problems: string[] = []
  const run = async (argument: Argument, what: string, kind: Junk, args: readonly unknown[]): Promise<void> => {
    const found = problem(name, argument, kind, await thrownBy(row, args))
    if (found !== undefined) problems.push(`${what} as ${kind} ${found}`)
  }
  for (const [i, argument] of row.args.entries()) {
    for (const kind of Object.keys(junk) as Junk[]) {
      if (!argument.skips?.includes(kind)) await run(argument, `argument ${i}`, kind, goodArgs(row).with(i, junk[kind]))
      for (const [option, inside] of Object.entries(argument.options ?? {})) {
        await run(inside, `option ${option}`, kind, goodArgs(row).with(i, { ...(argument.good as object), [option]: junk[kind] }))
      }
    }
    if (!argument.options) continue
    for (const unknown of ['nonsense', 'constructor', '__proto__']) {
      const options = { ...(argument.good as object) }
      Object.defineProperty(options, unknown, { value: 1, enumerable: true })
      const error = await thrownBy(row, goodArgs(row).with(i, options))
      if (!String(error).includes(`${name}: there is no option "${unknown}".`)) problems.push(`the option ${unknown}: ${error}`)
    }
  }
  expect(problems).toEqual([])
})
