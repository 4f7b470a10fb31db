/** The state that all parts of a report share: the theme, the width they are drawn for, and the name of the run. */
import { type Theme, themes } from './theme.js'

export class Stage {
  readonly root: HTMLElement
  /** The name of the run, for names of files. */
  title = ''
  #chosen?: Theme['name']
  readonly #system = matchMedia('(prefers-color-scheme: dark)')
  readonly #redraws = new Map<Element, () => void>()
  readonly #widths = new WeakMap<Element, number>()
  readonly #sizes = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) {
      const width = Math.round(contentRect.width)
      if (width === 0 || this.#widths.get(target) === width) continue
      this.#widths.set(target, width)
      this.#redraws.get(target)?.()
    }
  })
  readonly #changed = (): void => this.#retheme()

  constructor(root: HTMLElement) {
    this.root = root
    this.#system.addEventListener('change', this.#changed)
    this.#retheme()
  }

  get theme(): Theme {
    return themes[this.#chosen ?? (this.#system.matches ? 'dark' : 'light')]
  }

  switchTheme(): void {
    this.#chosen = this.theme.name === 'dark' ? 'light' : 'dark'
    this.#retheme()
  }

  #retheme(): void {
    this.root.dataset.theme = this.theme.name
    for (const [element, redraw] of this.#redraws) if (this.#widths.has(element)) redraw()
  }

  /** Calls `redraw` with the width of an element, once it has one, and whenever the width or the theme changes. */
  drawIn(element: Element, redraw: (width: number) => void): () => void {
    const call = (): void => {
      const width = this.#widths.get(element)
      if (width === undefined) return
      try {
        redraw(width)
      } catch (error) {
        element.replaceChildren(`This cannot be drawn: ${(error as Error).message}`)
      }
    }
    this.#redraws.set(element, call)
    this.#sizes.observe(element)
    return call
  }

  /** An element that is shown no more. */
  forget(part: Element): void {
    for (const element of this.#redraws.keys())
      if (part.contains(element)) {
        this.#redraws.delete(element)
        this.#sizes.unobserve(element)
      }
  }

  dispose(): void {
    this.#system.removeEventListener('change', this.#changed)
    this.#sizes.disconnect()
    this.#redraws.clear()
  }
}
