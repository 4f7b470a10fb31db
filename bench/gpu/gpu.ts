/** `bench -- kernels --backend gpu:webgl2`: times our kernels on an engine of gpu.js beside plain ones. measure.ts says how. */
import type { GpuMode } from '@cotangent/core'
import { gpuFlags, openSite } from '../../packages/core/test/browser/harness.js'
import { provideGl } from '../../packages/core/test/gl.js'
import { short } from '../report.js'
import { ratios, spread } from '../statistics.js'
import { type GpuFigures, measure } from './measure.js'

async function inPage(mode: GpuMode, rounds: number): Promise<GpuFigures> {
  const site = await openSite<{ measure: typeof measure }>(new URL('./measure.ts', import.meta.url), { flags: gpuFlags })
  try {
    return await (await site.open()).call('measure', mode, rounds)
  } finally {
    await site.close()
  }
}

/** Measures in this process if the engine runs here, else in a page. */
export async function measureWhereItRuns(mode: GpuMode, rounds: number): Promise<{ where: string; figures: GpuFigures }> {
  if (mode === 'headlessgl') provideGl()
  if (mode === 'webgl2') return { where: 'Chromium', figures: await inPage(mode, rounds) }
  try {
    return { where: `Node ${process.versions.node}`, figures: await measure(mode, rounds) }
  } catch (error) {
    if (mode !== 'webgpu') throw error
    return { where: 'Chromium', figures: await inPage(mode, rounds) }
  }
}

const range = (values: readonly number[]): string => {
  const { median, min, max } = spread(values)
  return `${short(median)} (${short(min)}–${short(max)})`
}

export function gpuTable(where: string, { mode, adapter, kernels, launch, upload, readback }: GpuFigures): string {
  const lines = [`gpu:${mode} in ${where}${adapter ? `, ${adapter}` : ''}; median (min–max) of ${launch.length} rounds`, '']
  const rows: [string, ...string[]][] = [
    ['', 'plain ms', 'ours ms', 'plain ÷ ours', 'difference'],
    ...kernels.map(({ name, plain, ours, difference }): [string, ...string[]] => [
      name,
      range(plain),
      range(ours),
      range(ratios(plain, ours)),
      difference.toExponential(0),
    ]),
  ]
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  for (const row of rows)
    lines.push(row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join('  '))
  lines.push('', `launch ${range(launch.map((ms) => ms * 1000))} µs, upload ${range(upload)} ms, readback ${range(readback)} ms`)
  return lines.join('\n')
}
