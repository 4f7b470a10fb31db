/// <reference types="node" />
/** The backup of a training as a file. It is written whole or not at all: the state of one moment, in one file. */
import { existsSync } from 'node:fs'
import { readFile, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ValueError } from '@cotangent/core'
import { requireText } from '@cotangent/core/arguments'
import { BackupAndRestore, type BackupAndRestoreOptions } from '../callbacks/backup-and-restore.js'
import type { TrainingState } from '../callbacks/training-state.js'
import type { HostArray } from '../host-data.js'
import { type NamedArray, readSafetensors, writeSafetensors } from '../io/safetensors.js'
import type { SpelledOptions } from '../spelling/names.js'
import { reading, writing } from './file-error.js'
import { removeLeftovers } from './temporary.js'
import { makeFolder, requireWritable, writeWhole } from './write-file.js'

const what = 'backupAndRestore'
const FILE = 'training.safetensors'

/**
 * Makes a `BackupAndRestore` that saves to a folder. When `fit` is called again after a crash, with the same model, data and options, training goes on where it was saved
 * last, and ends with the same bits. The folder is made if it is not there, and belongs to one training.
 *
 * Put it behind callbacks that change the weights or the rate at the end of an epoch. An iterable must give the same batches again: those before the place are passed
 * over.
 *
 * @throws ValueError for wrong options, and in `fit` if the backup is damaged or of another model; CotangentError in `fit` if the file cannot be written
 * @example
 * ```ts
 * const backup = backupAndRestore('backup', { saveFreq: 'epoch' })
 * const crash = { onEpochBegin(epoch: number) { if (epoch === 2) throw new Error('power cut') } }
 * await model.fit(x, y, { epochs: 5, verbose: 0, callbacks: [backup, crash] }).catch(() => {})
 * const { epoch } = await model.fit(x, y, { epochs: 5, verbose: 0, callbacks: [backup] })
 * console.log(epoch)   // [2, 3, 4]
 * ```
 */
export function backupAndRestore(backupDir: string, options?: SpelledOptions<BackupAndRestoreOptions>): BackupAndRestore {
  requireText(what, 'the backup directory', backupDir)
  const path = join(backupDir, FILE)
  const store = {
    async read() {
      await makeFolder(what, backupDir)
      await requireWritable(what, path)
      if (!existsSync(path)) return undefined
      return stateOf(await reading(what, path, () => readFile(path)), path)
    },
    write: (state: TrainingState) => writeWhole(what, path, bytesOf(state)),
    async remove() {
      await writing(what, path, () => rm(path, { force: true }))
      await removeLeftovers(backupDir)
      await rmdir(backupDir).catch(() => {}) // it may hold other files
    },
  }
  return new BackupAndRestore(store, options)
}

function bytesOf({ description, arrays }: TrainingState): Uint8Array {
  const named = Object.entries(arrays).map(([name, { shape, data }]): [string, NamedArray] => [name, { shape, data: writable(data) }])
  return writeSafetensors(named, { training: JSON.stringify(description) })
}

/** Numbers of a type that the format has here. Whole numbers and truth values fit int32. */
function writable(data: HostArray['data']): NamedArray['data'] {
  return data instanceof Float32Array || data instanceof Float64Array || data instanceof Int32Array ? data : Int32Array.from(data)
}

function stateOf(bytes: Uint8Array, path: string): TrainingState {
  try {
    const { arrays, metadata } = readSafetensors(bytes, path)
    return { description: JSON.parse(metadata.training), arrays: Object.fromEntries(arrays) }
  } catch (error) {
    throw new ValueError(
      `${what}: "${path}" is no backup that can be read: ${(error as Error).message} Remove it to train from the start.`,
      {
        cause: error,
      },
    )
  }
}
