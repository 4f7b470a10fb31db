/** The address of the page: which code, which numbers, which step. */
import { momentEntries, momentIn, type RunStep } from '../time-machine/code.js'

export interface Place {
  readonly preset?: string
  readonly code?: string
  /** The step of a training whose numbers the code imports. */
  readonly moment?: RunStep
  readonly float64: boolean
  readonly graph: boolean
  readonly step: number
}

const encode = (text: string): string => {
  const binary = Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join('')
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

const decode = (text: string): string | undefined => {
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
    return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)))
  } catch {
    return undefined // a link that was cut
  }
}

export function placeIn(hash: string): Place {
  const said = new URLSearchParams(hash.replace(/^#/, ''))
  const code = said.get('code')
  const step = Number(said.get('step'))
  return {
    preset: said.get('preset') ?? undefined,
    code: code ? decode(code) : undefined,
    moment: momentIn(said),
    float64: said.get('numbers') === 'float64',
    graph: said.get('view') === 'graph',
    step: Number.isInteger(step) && step >= 0 ? step : 0,
  }
}

/** The address of a place. The code of a preset, or of a moment, is its name. */
export function hashOf({ preset, code, moment, float64, graph, step }: Place): string {
  const said = new URLSearchParams(moment && momentEntries(moment))
  if (preset) said.set('preset', preset)
  else if (code !== undefined) said.set('code', encode(code))
  if (float64) said.set('numbers', 'float64')
  if (graph) said.set('view', 'graph')
  if (step > 0) said.set('step', String(step))
  return `#${said}`
}
