/**
 * Runs every family of kernels on the newest Node of other versions. V8's optimising compiler changes with each version, and a kernel that it cannot compile ends
 * the process. `npm run nodes:install` puts the binaries where this test looks. COTANGENT_NODES names others, as a list like PATH.
 */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import type { NodeVersionResults } from './node-versions-process.js'

const root = resolve(import.meta.dirname, '../../..')
const installed = ['22', '24', '26']
  .map((major) => join(root, `.nodes/node_modules/node-${major}/bin/node`))
  .filter((path) => existsSync(path))
/** Linux lists what a processor has; elsewhere it is taken for granted. */
const hasWideVectors = !existsSync('/proc/cpuinfo') || /\bavx2\b/.test(readFileSync('/proc/cpuinfo', 'utf8'))
const nodes = process.env.COTANGENT_NODES?.split(delimiter).filter(Boolean) ?? installed

async function resultsOf(node: string, ...args: string[]): Promise<NodeVersionResults> {
  const program = join(root, 'packages/layers/test/node-versions-process.ts')
  const { stdout, stderr } = await promisify(execFile)(node, ['--conditions=@cotangent/source', '--import', 'tsx', program, ...args], {
    cwd: root,
    env: { ...process.env, NODE_OPTIONS: '' },
    maxBuffer: 1 << 26,
  })
  // V8 reports an unknown flag or setting here.
  expect(stderr).toBe('')
  return JSON.parse(stdout) as NodeVersionResults
}

/** Whether kernels are 256 bits wide in a version of Node. A processor without such vectors has its self-test to thank for 128. */
const wideIn = (node: string): boolean => Number.parseInt(node.slice(1), 10) >= 24 && process.arch === 'x64' && hasWideVectors

if (nodes.length === 0) test.skip('other versions of Node: there are none here (npm run nodes:install)', () => {})
else
  describe('other versions of Node', () => {
    let own: NodeVersionResults
    beforeAll(async () => {
      own = await resultsOf(process.execPath)
      // Derivatives and trainings did run.
      expect(Object.keys(own.ops).length).toBeGreaterThan(100)
    })
    test.each(nodes)('%s: every op and training has the bits of this Node', async (node) => {
      const results = await resultsOf(node)
      expect(results.node).not.toBe(own.node)
      // Where kernels are 256 bits wide by default, these are their bits; this Node, unless it is newer, has those of 128.
      expect(results).toEqual({ ...own, node: results.node, simd256: wideIn(results.node) })
    })
    test('128 bits have the same bits, in the newest', async () => {
      const results = await resultsOf(nodes[nodes.length - 1], 'narrow')
      expect(results).toEqual({ ...own, node: results.node, simd256: false })
    })
  })
