/**
 * The process that io-atomic.test.ts kills. It writes files of every format at the same time, two versions of each in turn, as fast as it can. Its arguments are
 * the folder to write to and that of the versions. It prints a line when it begins.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TrainContext } from '../src/callbacks/callback.js'
import { CSVLogger } from '../src/callbacks/csv-logger.js'
import { scalarsEvent } from '../src/callbacks/event-file.js'
import { appendWhole } from '../src/node/append.js'
import { writeTfjsFolder } from '../src/node/tfjs-folder.js'
import { writeFileAtomic } from '../src/node/write-file.js'

const [, , folder, versions] = process.argv
const versionsOf = (name: string): Buffer[] => [0, 1].map((i) => readFileSync(join(versions, String(i), name)))

async function writeFiles(name: string): Promise<void> {
  const bytes = versionsOf(name)
  for (let i = 1; ; i++) await writeFileAtomic(join(folder, name), bytes[i % 2])
}

/** Shards under modelToTfjs' default names, in a folder for each version. */
async function writeFolders(): Promise<void> {
  const models = [0, 1].map((i) => {
    const from = join(versions, String(i), 'tfjs')
    const names = readdirSync(from).filter((name) => name.endsWith('.bin'))
    return {
      text: readFileSync(join(from, 'model.json'), 'utf8'),
      shards: names.map((name) => [name, readFileSync(join(from, name))] as const),
    }
  })
  for (let i = 1; ; i++) {
    const { text, shards } = models[i % 2]
    await writeTfjsFolder('saveModel', folder, async (shardName) => {
      const renamed = new Map(shards.map(([name]) => [name, shardName(Number(/shard(\d+)/.exec(name)?.[1]), shards.length)]))
      return {
        modelJson: text.replace(/group1-shard\d+of\d+\.bin/g, (name) => renamed.get(name) ?? name),
        shards: new Map(shards.map(([name, bytes]) => [renamed.get(name) as string, bytes])),
      }
    })
  }
}

/** Each process has files of its own, as each training has. */
async function writeLogs(): Promise<void> {
  const table = join(folder, `log-${process.pid}.csv`)
  const logger = new CSVLogger({ begin: () => '', write: (text) => appendWhole('csvLogger', table, text) })
  await logger.onTrainBegin({ metrics: ['loss'] } as Partial<TrainContext> as TrainContext)
  for (let epoch = 0; ; epoch++) {
    await logger.onEpochEnd(epoch, { loss: 1 / (epoch + 1) })
    await appendWhole('tensorBoard', join(folder, `events-${process.pid}`), scalarsEvent(0, epoch, { loss: 1 / (epoch + 1) }))
  }
}

const files = readdirSync(join(versions, '0')).filter((name) => name !== 'tfjs')
process.stdout.write('begins')
await Promise.all([...files.map(writeFiles), writeFolders(), writeLogs()])
