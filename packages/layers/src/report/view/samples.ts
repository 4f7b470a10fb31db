/** Samples with what the network read: as tiles where they are images, as texts otherwise. */
import type { ImageSheet, Sample, SamplesSection } from '../record.js'
import { h } from './dom.js'
import { numbersOf, pictureButtons } from './figure.js'
import { tile, tilesSvg } from './images.js'
import { pictureOf, type Table } from './save.js'
import type { Stage } from './stage.js'
import { percent, short } from './text.js'

interface Samples {
  labels: readonly string[]
  samples: readonly Sample[]
  images?: ImageSheet
}

const labelOf = (labels: readonly string[], i: number): string => labels[i] ?? String(i)

/** The lines below the image of a sample. */
const linesOf = ({ truth, predicted, confidence, index }: Sample, labels: readonly string[]): string[] => [
  `is ${labelOf(labels, truth)}`,
  `read as ${labelOf(labels, predicted)}, ${percent(confidence)}`,
  `sample ${index}`,
]

export function sampleTiles({ labels, samples, images }: Samples): HTMLUListElement {
  const texts = samples.some(({ text }) => text !== undefined)
  return h(
    'ul',
    { class: `tiles${texts ? ' texts' : ''}` },
    samples.map((sample) => {
      const lines = linesOf(sample, labels)
      return h(
        'li',
        {},
        images && sample.image !== undefined && tile(images, sample.image, `Image of sample ${sample.index}`),
        texts ? h('div', { class: 'says' }, lines.join(' · ')) : lines.map((line) => h('div', {}, line)),
        sample.text !== undefined && h('div', { style: 'white-space:pre-wrap' }, sample.text),
      )
    }),
  )
}

export const sampleTable = ({ labels, samples }: Samples): Table => ({
  columns: ['sample', 'is', 'read as', 'confidence', ...(samples.some(({ text }) => text !== undefined) ? ['text'] : [])],
  rows: samples.map(({ index, truth, predicted, confidence, text }) => [
    index,
    labelOf(labels, truth),
    labelOf(labels, predicted),
    confidence,
    ...(text === undefined ? [] : [text]),
  ]),
})

export function samplesPart(stage: Stage, section: SamplesSection): HTMLElement {
  const { title, says, images, samples, labels } = section
  const numbers = numbersOf(stage, title, () => sampleTable(section))
  return h(
    'section',
    { class: 'card wide' },
    h('h3', {}, title),
    says !== undefined && h('p', { class: 'says' }, says),
    sampleTiles(section),
    h(
      'div',
      { class: 'foot' },
      numbers.element,
      images &&
        pictureButtons(stage, title, () => {
          const items = samples.flatMap((sample) =>
            sample.image === undefined ? [] : [{ image: sample.image, lines: linesOf(sample, labels).map((line) => short(line, 20)) }],
          )
          return pictureOf(tilesSvg(images, items, Math.min(8, Math.max(1, items.length)), stage.theme, title), title, [], stage.theme)
        }),
    ),
  )
}
