/** The state of the explorer, which its views show, and the things that a reader does in them. */
import type { Told } from '../shared/engine.js'
import type { TensorMode } from '../shared/tensor-value.js'
import type { RunStep } from '../time-machine/code.js'
import type { Differences, Recorded, Step } from './data.js'
import type { Opened } from './source-panel.js'
import type { Here } from './tape-view.js'

export interface Explorer {
  readonly code: string
  /** The preset whose code this is; undefined for the reader's own. */
  readonly preset: string | undefined
  /** The step of a training whose numbers the code imports, and the loss that the time machine has there. */
  readonly moment: RunStep | undefined
  readonly momentLoss: number | undefined
  /** The step that the worker replays now. */
  readonly replayed: number | undefined
  /** Whether the code is a preset's or a moment's, not the reader's own. */
  readonly ours: boolean
  /** Whether the code was changed since it ran. */
  readonly changed: boolean
  readonly running: boolean
  readonly error: Told | undefined
  /** The lines that the code printed. */
  readonly lines: readonly string[]
  /** Whether the editor is loaded; until then there is a plain field. */
  readonly rich: boolean
  float64: boolean

  readonly recorded: Recorded | undefined
  graph: boolean
  /** The first row of the list that shows, in steps of some rows. */
  top: number

  /** The step: forward from 0, then backward, then the gradients. */
  readonly at: number
  readonly last: number
  /** The record of the step, and the direction. */
  readonly here: Here
  readonly step: Step | undefined
  readonly differences: Differences | undefined
  mode: TensorMode
  opened: Opened | undefined

  run(at?: number): Promise<void>
  /** Goes to a step. Numbers come from the worker; what is on the page stays until they are there. */
  go(at: number): Promise<void>
  choose(preset: string): void
  edited(event: Event): void
  /** Replaces the plain field by the editor. */
  enrich(): Promise<void>
  open(opening: Promise<Opened>): Promise<void>
  /** Puts code and step into the address. */
  write(): void
}
