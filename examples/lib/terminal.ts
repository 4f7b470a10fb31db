/** Colours for a terminal that shows them; plain text for pipes, files and whoever sets NO_COLOR. */

/** Wraps a text in the escape codes of a style. */
export type Paint = (text: string) => string

export interface Palette {
  readonly colours: boolean
  readonly bold: Paint
  readonly dim: Paint
  readonly green: Paint
  readonly red: Paint
}

const code =
  (colours: boolean, open: number, close: number): Paint =>
  (text) =>
    colours ? `\u001b[${open}m${text}\u001b[${close}m` : text

export const palette = (colours: boolean): Palette => ({
  colours,
  bold: code(colours, 1, 22),
  dim: code(colours, 2, 22),
  green: code(colours, 32, 39),
  red: code(colours, 31, 39),
})

/** True if standard output is a terminal that shows colours. */
export const hasColours = (): boolean => process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb'
