/**
 * `<run-example>`: an example of the reference. A click makes it a cell that runs, so that a page with a hundred examples does not begin with a hundred editors.
 */
import { importsFor } from './imports.js'

class RunExample extends HTMLElement {
  connectedCallback(): void {
    if (this.querySelector('button')) return
    const button = document.createElement('button')
    button.textContent = 'Try it'
    button.addEventListener('click', () => void this.#open())
    this.append(button)
  }

  async #open(): Promise<void> {
    const pre = this.querySelector('pre')
    if (!pre) return
    pre.textContent = importsFor(pre.textContent ?? '')
    const cell = document.createElement('code-cell')
    cell.append(pre)
    await import('../code-cell/index.js')
    this.replaceWith(cell)
    cell.querySelector<HTMLElement>('.cm-content')?.focus()
  }
}
customElements.define('run-example', RunExample)
