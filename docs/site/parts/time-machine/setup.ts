/** The setup of a run. Two runs with the same setup are the same run. */

export type Problem = 'spirals' | 'moons' | 'circles' | 'digits'
export type OptimizerName = 'sgd' | 'momentum' | 'rmsprop' | 'adagrad' | 'adam'

export interface Setup {
  readonly problem: Problem
  readonly units: number
  readonly dropout: number
  readonly optimizer: OptimizerName
  readonly rate: number
  readonly seed: number
}

/** A knob: its name for people, and its values with theirs. */
interface Knob {
  readonly title: string
  readonly values: readonly { readonly value: string | number; readonly title: string }[]
}

const numbers = (values: readonly number[]): Knob['values'] => values.map((value) => ({ value, title: String(value) }))

export const knobs: Readonly<Record<keyof Setup, Knob>> = {
  problem: {
    title: 'Data',
    values: [
      { value: 'spirals', title: 'two spirals' },
      { value: 'moons', title: 'two moons' },
      { value: 'circles', title: 'ring and disc' },
      { value: 'digits', title: 'real digits' },
    ],
  },
  units: { title: 'Hidden units', values: numbers([4, 8, 16, 32]) },
  dropout: { title: 'Dropout', values: [{ value: 0, title: 'none' }, ...numbers([0.1, 0.3, 0.5])] },
  optimizer: {
    title: 'Optimizer',
    values: [
      { value: 'sgd', title: 'SGD' },
      { value: 'momentum', title: 'SGD, momentum 0.9' },
      { value: 'rmsprop', title: 'RMSprop' },
      { value: 'adagrad', title: 'Adagrad' },
      { value: 'adam', title: 'Adam' },
    ],
  },
  rate: { title: 'Learning rate', values: numbers([0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1]) },
  seed: { title: 'Seed', values: numbers([1, 2, 3, 4, 5, 6, 7, 8, 9]) },
}

export const start: Setup = { problem: 'spirals', units: 16, dropout: 0, optimizer: 'adam', rate: 0.03, seed: 1 }

/** The content of the page: a run, perhaps another one beside it that differs in one knob, and a step. */
export interface Place {
  readonly setup: Setup
  readonly knob: keyof Setup | undefined
  readonly other: string | number
  readonly step: number
}

/** The value of a knob as an address has it; undefined if it has no such value. */
const valueIn = (knob: keyof Setup, text: string | null): string | number | undefined =>
  knobs[knob].values.find(({ value }) => String(value) === text)?.value

const names = Object.keys(knobs) as (keyof Setup)[]

/** The setup of an address. A knob that it does not name, or names wrongly, is as at the start. */
export const setupIn = (said: URLSearchParams): Setup =>
  Object.fromEntries(names.map((name) => [name, valueIn(name, said.get(name)) ?? start[name]])) as unknown as Setup

/** A step of an address, within the run. */
export const stepIn = (text: string | null): number => {
  const step = Number(text ?? 0)
  return Number.isInteger(step) ? Math.min(STEPS, Math.max(0, step)) : 0
}

/** Reads an address of the time machine. */
export function placeIn(hash: string): Place {
  const said = new URLSearchParams(hash.replace(/^#/, ''))
  const setup = setupIn(said)
  const knob = names.find((name) => name === said.get('knob'))
  const other = knob && valueIn(knob, said.get('other'))
  return {
    setup,
    knob: other === undefined ? undefined : knob,
    other: other ?? '',
    step: stepIn(said.get('step')),
  }
}

/** A setup as an address has it. */
export const entriesOf = (setup: Setup): [string, string][] => names.map((name) => [name, String(setup[name])])

export function hashFor({ setup, knob, other, step }: Place): string {
  const said = new URLSearchParams(entriesOf(setup))
  if (knob) {
    said.set('knob', knob)
    said.set('other', String(other))
  }
  said.set('step', String(step))
  return `#${said}`
}

/** Places worth a visit. */
export const visits: readonly { readonly title: string; readonly place: Place }[] = [
  { title: 'Two seeds, one border', place: { setup: { ...start, problem: 'moons', rate: 0.01 }, knob: 'seed', other: 2, step: 200 } },
  { title: 'SGD beside Adam', place: { setup: start, knob: 'optimizer', other: 'sgd', step: 400 } },
  { title: 'Four units are too few', place: { setup: start, knob: 'units', other: 4, step: 400 } },
  { title: 'What dropout drops', place: { setup: { ...start, problem: 'moons', rate: 0.01 }, knob: 'dropout', other: 0.3, step: 40 } },
  { title: 'Too fast: units die', place: { setup: { ...start, problem: 'digits', rate: 0.01 }, knob: 'rate', other: 0.3, step: 30 } },
]

/** Both runs of a place. */
export const setupsOf = ({ setup, knob, other }: Place): readonly Setup[] => (knob ? [setup, { ...setup, [knob]: other }] : [setup])

/** The updates of a run. */
export const STEPS = 400
/** From one kept state to the next. */
export const EVERY = 20
