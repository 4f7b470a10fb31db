/** Trains in a page, whose report stands in an element of it. */
import { dense, Sequential } from '../../src/index.js'
import { reportInto } from '../../src/report/index.js'

interface Part {
  shadowRoot: { textContent: string | null; querySelectorAll(what: string): { length: number } } | null
}
declare const document: {
  body: { append(part: Part): void }
  createElement(name: string): Part & { attachShadow(options: { mode: 'open' }): unknown }
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => (globalThis as unknown as { setTimeout(call: () => void, ms: number): void }).setTimeout(resolve, ms))

/** @returns the texts of the report at the beginning of each epoch, and at the end; and how many curves it has then */
export async function train(epochs: number): Promise<{ texts: string[]; plots: number; refused: string }> {
  const element = document.createElement('div')
  document.body.append(element)
  const net = new Sequential([dense(3, { activation: 'tanh', inputShape: [2] }), dense(1)], { seed: 3 })
  net.compile({ optimizer: 'adam', loss: 'mse', metrics: ['mae'] })
  const run = reportInto(element, { title: 'In this page' })
  const texts: string[] = []
  const text = (): void => void texts.push(element.shadowRoot?.textContent ?? '')
  await net.fit(
    [[1, 2], [2, 1], [0, 1], [1, 1]], // biome-ignore format: rows
    [[3], [3], [1], [2]],
    {
      epochs,
      verbose: 0,
      validationSplit: 0.5,
      callbacks: [run, { onEpochBegin: () => pause(60) }, { onEpochBegin: text }],
    },
  )
  // A frame later the browser has told the plots how wide they are.
  await pause(500)
  text()
  let refused = ''
  try {
    reportInto('#report' as never)
  } catch (error) {
    refused = (error as Error).message
  }
  return { texts, plots: element.shadowRoot?.querySelectorAll('figure svg[role=img]').length ?? 0, refused }
}
