/** The library's own lines, which the build cuts from packages/core (build/exercises.ts). */
import { html, type TemplateResult } from 'lit'
import { fileUrl } from '../shared/site.js'

export interface Solution {
  readonly code: string
  readonly pieces: readonly { readonly file: string; readonly line: number; readonly text: string }[]
}

let solutions: Promise<Record<string, Solution>> | undefined

/** The file comes with the first solution that somebody wants to see. */
export async function solutionOf(id: string): Promise<Solution> {
  solutions ??= fetch(fileUrl('data/exercises.json')).then((response) => {
    if (!response.ok) throw new Error(`The solutions did not come: ${response.status}.`)
    return response.json()
  })
  try {
    return (await solutions)[id]
  } catch (error) {
    solutions = undefined // the next click asks again
    throw error
  }
}

export const solutionView = (
  { code, pieces }: Solution,
  put: (code: string) => void,
): TemplateResult => html`<section class="card" aria-label="The library's solution">
    <h3 style="margin-top:0">The library's own lines</h3>
    ${pieces.map(
      ({
        file,
        line,
        text,
      }) => html`<p class="be-path"><a href="${fileUrl('source.html')}#${file}:${line}-${line + text.split('\n').length - 1}">${file}, line ${line}</a></p>
        <pre tabindex="0" aria-label="Lines of ${file}">${text}</pre>`,
    )}
    <div class="row"><button @click=${() => put(code)}>Put it into the editor</button>
      <span class="muted">With what the lines need to stand alone; then check it as your own.</span></div>
  </section>`
