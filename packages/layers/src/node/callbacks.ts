/// <reference types="node" />
/** The callbacks that write files, bound to the disk. Each write opens and closes its file, so a training that fails leaves no file open. */
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
 * Makes a `ModelCheckpoint` that saves to files. The extension of the path chooses the format, as in `saveModel`, or with `saveWeightsOnly` in
 * `saveWeights`. The path may have places for the epoch, counted from 1, and for logs, in Python's formats: `weights.{epoch:02d}-{val_loss:.2f}.h5`. The
 * folder must exist.
 *
 * @throws ValueError in `fit`, before the first epoch, for an extension that stands for no format, or for a format that cannot hold the model; CotangentError if the
 * file cannot be written
 * @example
 * ```ts
 * import { existsSync } from 'node:fs'
 *
 * const checkpoint = modelCheckpoint('best.h5', { saveBestOnly: true })
 * await model.fit(x, y, { validationSplit: 0.2, verbose: 0, callbacks: [checkpoint] })
 * console.log(existsSync('best.h5'))   // true
 * ```
 */
export function modelCheckpoint(path: string, options: SpelledOptions<ModelCheckpointOptions> = {}): ModelCheckpoint {
  requireObject('modelCheckpoint', options, [], "modelCheckpoint('best.h5', { saveBestOnly: true })")
  return new ModelCheckpoint(path, {
    ...options,
    save: (model, to, { weightsOnly }) => (weightsOnly ? saveWeightsAs : saveModelAs)('modelCheckpoint', model, to),
    async prepare(to, { weightsOnly, model }) {
      requireSavable('modelCheckpoint', to, weightsOnly, model)
      // If the folder's name has places, the folder is not known yet.
      if (!dirname(to).includes('{')) await requireWritable('modelCheckpoint', to.replace(/\{[^}]*\}/g, '0'))
    },
  })
}

/**
 * Makes a `CSVLogger` that writes to a file. The folder must exist. A line is written whole or not at all.
 *
 * @throws CotangentError in `fit` if the file cannot be written
 * @example
 * ```ts
 * import { readFileSync } from 'node:fs'
 *
 * await model.fit(x, y, { epochs: 2, verbose: 0, callbacks: [csvLogger('log.csv')] })
 * console.log(readFileSync('log.csv', 'utf8').split('\r\n')[0])   // epoch,accuracy,loss
 * ```
 */
export function csvLogger(path: string, options?: SpelledOptions<CSVLoggerOptions>): CSVLogger {
  requireText('csvLogger', 'the path to write to', path)
  return new CSVLogger(
    {
      async begin(append) {
        await writing('csvLogger', path, () => writeFile(path, '', { flag: append ? 'a' : 'w' }))
        const text = append ? await reading('csvLogger', path, () => readFile(path, 'utf8')) : ''
        // If the last line was cut off in the middle, it is ended here, so that the next line starts on its own.
        if (text !== '' && !text.endsWith('\n')) await appendWhole('csvLogger', path, '\r\n')
        return text.split(/\r?\n/, 1)[0]
      },
      write: (text) => appendWhole('csvLogger', path, text),
    },
    options,
  )
}

/** Event files made by this process. The number makes their names differ. */
let files = 0

/**
 * Makes a `TensorBoard` that writes event files to the folders `train` and `validation` of a log directory. Show them with `tensorboard --logdir logs`.
 *
 * @throws CotangentError in `fit` if the files cannot be written
 * @example
 * ```ts
 * import { readdirSync } from 'node:fs'
 *
 * await model.fit(x, y, { validationSplit: 0.5, verbose: 0, callbacks: [tensorBoard('logs')] })
 * console.log(readdirSync('logs'))   // ['train', 'validation']
 * ```
 */
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
