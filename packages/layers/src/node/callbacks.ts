/// <reference types="node" />
/** The callbacks that write files, bound to the disk. Each write opens and closes its file, so that a training that fails leaves none open. */
import { readFile, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { requireObject, requireText } from '@cotangent/core/arguments'
import { CSVLogger, type CSVLoggerOptions } from '../callbacks/csv-logger.js'
import { ModelCheckpoint, type ModelCheckpointOptions } from '../callbacks/model-checkpoint.js'
import { TensorBoard, type TensorBoardOptions } from '../callbacks/tensor-board.js'
import type { SpelledOptions } from '../spelling/names.js'
import { appendWhole } from './append.js'
import { reading, writing } from './file-error.js'
import { requireSavable, saveModelAs, saveWeightsAs } from './model-files.js'
import { makeFolder, requireWritable } from './write-file.js'

/**
 * Saves the model, or its weights alone with `saveWeightsOnly`, after epochs. The path's extension chooses the format; it may hold the epoch from 1 and
 * logs, in Python's format: `weights.{epoch:02d}-{val_loss:.2f}.h5`. The folder must exist.
 *
 * @example
 * ```ts
 * await model.fit(x, y, { epochs: 20, validationSplit: 0.2, callbacks: [modelCheckpoint('best.h5', { saveBestOnly: true })] })
 * ```
 */
export function modelCheckpoint(path: string, options: SpelledOptions<ModelCheckpointOptions> = {}): ModelCheckpoint {
  requireObject('modelCheckpoint', options, [], "modelCheckpoint('best.h5', { saveBestOnly: true })")
  return new ModelCheckpoint(path, {
    ...options,
    save: (model, to, { weightsOnly }) => (weightsOnly ? saveWeightsAs : saveModelAs)('modelCheckpoint', model, to),
    async prepare(to, { weightsOnly }) {
      requireSavable('modelCheckpoint', to, weightsOnly)
      // A folder with places in its name is not known yet.
      if (!dirname(to).includes('{')) await requireWritable('modelCheckpoint', to.replace(/\{[^}]*\}/g, '0'))
    },
  })
}

/** Writes the logs of every epoch to a table of separated values. The folder must exist. A line is written whole or not at all. */
export function csvLogger(path: string, options?: SpelledOptions<CSVLoggerOptions>): CSVLogger {
  requireText('csvLogger', 'the path to write to', path)
  return new CSVLogger(
    {
      async begin(append) {
        await writing('csvLogger', path, () => writeFile(path, '', { flag: append ? 'a' : 'w' }))
        const text = append ? await reading('csvLogger', path, () => readFile(path, 'utf8')) : ''
        // A line that was cut off in the middle is ended, so that the next one is whole.
        if (text !== '' && !text.endsWith('\n')) await appendWhole('csvLogger', path, '\r\n')
        return text.split(/\r?\n/, 1)[0]
      },
      write: (text) => appendWhole('csvLogger', path, text),
    },
    options,
  )
}

/** Files made by this process, which are told apart by it. */
let files = 0

/** Writes event files for TensorBoard to the folders `train` and `validation` of a log directory; show them with `tensorboard --logdir`. */
export function tensorBoard(logDir = './logs', options?: SpelledOptions<TensorBoardOptions>): TensorBoard {
  requireText('tensorBoard', 'the log directory', logDir)
  const paths: Partial<Record<'train' | 'validation', string>> = {}
  return new TensorBoard(
    {
      async begin(run) {
        const folder = join(logDir, run)
        await makeFolder('tensorBoard', folder)
        const seconds = String(Math.floor(Date.now() / 1000)).padStart(10, '0')
        paths[run] = join(folder, `events.out.tfevents.${seconds}.${hostname()}.${process.pid}.${files++}.v2`)
      },
      write: (run, bytes) => appendWhole('tensorBoard', paths[run] as string, bytes),
    },
    options,
  )
}
