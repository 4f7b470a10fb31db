/** The record of a run: lazy, complete, and no danger to the training. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dense, Sequential } from '@cotangent/layers'
import { readRecord, type Section } from '@cotangent/layers/report'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { runDemonstration } from './demonstration.js'
import { figuresOf, Recording, reportFile } from './recording.js'

let folder = ''
const log = vi.spyOn(console, 'log').mockImplementation(() => undefined)
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'recording-'))
})
afterAll(async () => {
  log.mockRestore()
  await rm(folder, { recursive: true })
})

const text = (title: string): Section => ({ kind: 'text', title, text: title })
const read = async (file: string) => readRecord(await readFile(file, 'utf8'))

async function train(recording: Recording): Promise<void> {
  const model = new Sequential([dense(1, { inputShape: [2] })], { seed: 1 })
  model.compile({ optimizer: 'sgd', loss: 'mse' })
  await model.fit([[1, 2]], [[3]], { epochs: 3, verbose: 0, callbacks: recording.callbacks })
  model.dispose()
}

test('without a wish nothing is computed', async () => {
  const recording = new Recording('run')
  await recording.shows(() => {
    throw new Error('called')
  })
  await recording.stretchEnds({ loss: 1 })
  expect(recording.callbacks).toEqual([])
  expect(await recording.finish()).toBeUndefined()
})

test.each(['html', 'json'])('a %s has what was shown before the training and after it', async (ending) => {
  const file = join(folder, `run.${ending}`)
  const recording = new Recording('a run', { file })
  await recording.shows(() => text('before'))
  await train(recording)
  await recording.shows(
    () => text('one'),
    async () => [text('two'), text('three')],
    () => {
      throw new Error('No image.')
    },
    () => text('last'),
  )
  recording.fact('Seed', 'one')
  recording.remark('A remark.')
  await recording.finish()
  const record = await read(file)
  expect(record.sections.map(({ title }) => title)).toEqual(['before', 'one', 'two', 'three', 'last'])
  expect(record.remarks).toEqual(['A section is missing: No image.', 'A remark.'])
  expect(record.facts.filter(({ name }) => name === 'Seed')).toEqual([{ name: 'Seed', value: 'one' }])
  expect([record.title, record.state, record.training.epochs]).toEqual(['a run', 'finished', [0, 1, 2]])
})

test('a page that is looked at while training has what was shown before it', async () => {
  const file = join(folder, 'live.html')
  const recording = new Recording('live', { file })
  await recording.shows(() => text('before'))
  const model = new Sequential([dense(1, { inputShape: [2] })])
  model.compile({ optimizer: 'sgd', loss: 'mse' })
  await model.fit([[1, 2]], [[3]], { epochs: 1, verbose: 0, callbacks: recording.callbacks })
  expect((await read(file)).sections).toEqual([text('before')])
  model.dispose()
})

test('a loop of one’s own: a point for each stretch', async () => {
  const file = join(folder, 'loop.json')
  const recording = new Recording('loop', { file })
  for (const loss of [3, Number.NaN]) {
    recording.stretchBegins()
    await recording.stretchEnds({ loss, val_loss: 1 }, 0.1)
  }
  await recording.finish()
  const { training, state } = await read(file)
  expect(training).toMatchObject({ planned: 2, epochs: [0, 1], history: { loss: [3, null], val_loss: [1, 1] }, learningRate: [0.1, 0.1] })
  expect([training.seconds.length, state]).toEqual([2, 'finished'])
})

test('a loop of which some losses are known', async () => {
  const file = join(folder, 'curve.json')
  const recording = new Recording('curve', { file })
  recording.curve([0, 1, 5], { loss: [2, 1, Number.POSITIVE_INFINITY] }, 0.5)
  await recording.finish()
  const { training } = await read(file)
  const { seconds, ...rest } = training
  expect(rest).toEqual({ planned: 6, epochs: [0, 1, 5], history: { loss: [2, 1, null] }, learningRate: [0.5, 0.5, 0.5] })
  expect(new Set(seconds).size).toBe(1)
})

test('the figures are what is small', async () => {
  const recording = new Recording('figures', { figures: true })
  const images = { count: 1, height: 1, width: 1, channels: 1, bytes: '/w==' } as const
  const cell = { index: 0, truth: 0, predicted: 1, confidence: 1, image: 0 }
  await recording.shows(
    () => ({ kind: 'images', title: 'images', images }),
    () => ({
      kind: 'confusion',
      title: 'matrix',
      labels: ['0', '1'],
      counts: [
        [0, 1],
        [0, 0],
      ],
      samples: [cell],
      images,
    }),
    () => text('words'),
  )
  const record = await recording.finish()
  expect(record && figuresOf(record)).toEqual([
    {
      kind: 'confusion',
      title: 'matrix',
      says: undefined,
      labels: ['0', '1'],
      counts: [
        [0, 1],
        [0, 0],
      ],
    },
    text('words'),
  ])
})

test('the file of --report', async () => {
  expect([reportFile('gan', 'a.html', 'x'), reportFile('gan', '', 'x'), reportFile('gan', '')]).toEqual([
    'a.html',
    join('x', 'report.html'),
    join('out', 'gan.html'),
  ])
})

test('a demonstration writes its report, one that trains with the hash of its weights', async () => {
  const weights = 'a'.repeat(64)
  const run = async (_: unknown, recording?: Recording) => {
    await recording?.shows(() => text('shown'))
    return { kept: { weights } }
  }
  const out = join(folder, 'new')
  const lesson = { id: 'lesson', title: 'A lesson', flags: ['report', 'out', 'seed'], run, quick: run } as const
  await runDemonstration(lesson, { report: '', out, seed: 3 })
  const { title, sections, facts } = await read(join(out, 'report.html'))
  expect([title, sections]).toEqual(['lesson, seed 3', [text('shown')]])
  expect(facts.slice(0, 2)).toEqual([
    { name: 'Example', value: 'A lesson' },
    { name: 'SHA-256 of the weights', value: weights },
  ])
  expect(log).toHaveBeenCalledWith(`Report: ${join(out, 'report.html')}`)
})
