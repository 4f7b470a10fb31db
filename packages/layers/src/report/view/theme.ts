/** Colours. Each series colour has a contrast of 3 to its card, each text colour one of 4.5. */

export interface Theme {
  readonly name: 'light' | 'dark'
  readonly page: string
  readonly card: string
  readonly ink: string
  readonly muted: string
  readonly line: string
  readonly accent: string
  /** Two more than a reader can keep apart; then dashes differ, too. */
  readonly series: readonly string[]
  /** From nothing to much. */
  readonly ramp: readonly string[]
  /** From much below zero through zero to much above it. */
  readonly diverging: readonly string[]
  /** Right counts in a confusion matrix are of another hue than errors. */
  readonly right: readonly string[]
}

const light: Theme = {
  name: 'light',
  page: '#f6f7f9',
  card: '#ffffff',
  ink: '#1c2128',
  muted: '#57606a',
  line: '#d3d9e0',
  accent: '#0b5cad',
  series: ['#0b5cad', '#c2410c', '#1a7f37', '#8250df', '#8a5a00', '#0e7490', '#bf3989', '#57606a'],
  ramp: ['#f4f6f9', '#b9d4f1', '#5a9bdc', '#0b5cad', '#08305c'],
  diverging: ['#a63a08', '#f0a876', '#f7f7f7', '#7fb2e5', '#0b4f94'],
  right: ['#f4f6f9', '#b7e2c2', '#1a7f37'],
}
const dark: Theme = {
  name: 'dark',
  page: '#12151a',
  card: '#1b2028',
  ink: '#e6e9ee',
  muted: '#a6afbb',
  line: '#363e49',
  accent: '#6cb6ff',
  series: ['#6cb6ff', '#ff9d5c', '#6bc46d', '#c297ff', '#e3b341', '#56d4dd', '#f778ba', '#a6afbb'],
  ramp: ['#222934', '#234a75', '#2f7bc8', '#79bdff', '#d6ebff'],
  diverging: ['#ffb184', '#a5532a', '#2a303a', '#2f6dac', '#9bcdff'],
  right: ['#222934', '#235c36', '#6bc46d'],
}
export const themes = { light, dark }

/** A series by its number. Dashes differ from those of the series before and after, so that no colour stands alone. */
export const dashes = ['', '7 4', '2 3', '9 3 2 3', '14 4']
export const styleOf = (theme: Theme, i: number): { color: string; dash: string } => ({
  color: theme.series[i % theme.series.length],
  dash: dashes[i % dashes.length],
})

type Rgb = [number, number, number]
const rgb = (hex: string): Rgb => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as Rgb

/** The colour at a place of a ramp, 0 to 1. */
export function along(ramp: readonly string[], at: number): string {
  const place = Math.min(1, Math.max(0, at)) * (ramp.length - 1)
  const i = Math.min(ramp.length - 2, Math.floor(place))
  const [from, to] = [rgb(ramp[i]), rgb(ramp[i + 1])]
  return `#${from
    .map((c, k) =>
      Math.round(c + (to[k] - c) * (place - i))
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`
}

/** Black or white: what is easier to read on a colour. */
export function inkOn(color: string): string {
  const [r, g, b] = rgb(color).map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4))
  const luminance = 0.2126 * r + 0.7152 * g + 0.0722 * b
  return luminance > 0.179 ? '#000000' : '#ffffff'
}
