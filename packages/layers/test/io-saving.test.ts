/**
 * Saving to disk keeps permissions, links, other files and the files of other writers. Errors say which file cannot be written or read, and why. One file, since all
 * cases share its temporary folders.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CotangentError } from '@cotangent/core'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { dense, modelToTfjs, Sequential } from '../src/index.js'
import { appendWhole } from '../src/node/append.js'
import {
  csvLogger,
  loadModel,
  loadWeights,
  modelCheckpoint,
  saveModel,
  saveWeights,
  tensorBoard,
  writeFileAtomic,
} from '../src/node/index.js'
import { nameWhileWritten, newId } from '../src/node/temporary.js'
import { bundle } from './bundle.js'

const root = mkdtempSync(join(tmpdir(), 'cotangent-saving-'))
let folder = root
let count = 0
beforeEach(() => {
  folder = join(root, String(count++))
  mkdirSync(folder)
})
afterAll(() => rmSync(root, { recursive: true, force: true }))
const at = (...names: string[]): string => join(folder, ...names)
const model = (): Sequential => new Sequential([dense(2, { inputShape: [3], name: 'only' })], { seed: 1 })
const mode = (path: string): number => statSync(path).mode & 0o777
const isRoot = process.getuid?.() === 0

describe('permissions and links', () => {
  test.each([0o600, 0o640, 0o664])('of mode %o stays, whatever is written', async (bits) => {
    const [before] = [process.umask(0o022)]
    try {
      for (const name of ['text', 'weights.npz', 'architecture.json', 'model.json']) {
        writeFileSync(at(name), 'old')
        chmodSync(at(name), bits)
      }
      await writeFileAtomic(at('text'), 'new')
      await saveWeights(model(), at('weights.npz'))
      await saveModel(model(), at('architecture.json'))
      await saveModel(model(), at('model.json'))
      for (const name of readdirSync(folder)) expect([name, mode(at(name))]).toEqual([name, bits])
      await writeFileAtomic(at('new'), 'new')
      expect(mode(at('new'))).toBe(0o644)
    } finally {
      process.umask(before)
    }
  })

  test.skipIf(!isRoot)('owner and group stay', async () => {
    writeFileSync(at('theirs'), 'old')
    chownSync(at('theirs'), 1234, 4321)
    chmodSync(at('theirs'), 0o660)
    await writeFileAtomic(at('theirs'), 'new')
    const { uid, gid } = statSync(at('theirs'))
    expect([uid, gid, mode(at('theirs'))]).toEqual([1234, 4321, 0o660])
  })

  test('a link stays, and the file it leads to is replaced, through links of links and folders', async () => {
    mkdirSync(at('store', 'deep'), { recursive: true })
    writeFileSync(at('store', 'real.h5'), 'old')
    chmodSync(at('store', 'real.h5'), 0o600)
    symlinkSync('store/deep', at('place'))
    symlinkSync('../second', at('store', 'deep', 'first')) // seen from place/ this is store/second, not second
    symlinkSync(at('store', 'real.h5'), at('store', 'second'))
    await writeFileAtomic(at('place', 'first'), 'new')
    expect(readFileSync(at('store', 'real.h5'), 'utf8')).toBe('new')
    expect(mode(at('store', 'real.h5'))).toBe(0o600)
    expect(readlinkSync(at('store', 'deep', 'first'))).toBe('../second')
    expect(lstatSync(at('store', 'second')).isSymbolicLink()).toBe(true)
    expect([readdirSync(folder), readdirSync(at('store'))]).toEqual([
      ['place', 'store'],
      ['deep', 'real.h5', 'second'],
    ])
  })

  test('a link to nothing gets its file; links in a circle are told', async () => {
    symlinkSync('later.h5', at('latest.h5'))
    await saveModel(model(), at('latest.h5'))
    expect(lstatSync(at('latest.h5')).isSymbolicLink()).toBe(true)
    expect((await loadModel(at('later.h5'))).countParams()).toBe(8)
    symlinkSync('b', at('a'))
    symlinkSync('a', at('b'))
    await expect(writeFileAtomic(at('a'), 'x')).rejects.toThrow(/ELOOP.*links lead in a circle/)
  })

  test('a link called model.json, and a folder that is one', async () => {
    mkdirSync(at('real'))
    symlinkSync('real', at('folder'))
    await saveModel(model(), at('folder'), { format: 'tfjs' })
    expect(lstatSync(at('folder')).isSymbolicLink()).toBe(true)
    expect((await loadModel(at('real'))).countParams()).toBe(8)
    mkdirSync(at('other'))
    symlinkSync('../real/model.json', at('other', 'model.json'))
    await saveModel(model(), at('other'), { format: 'tfjs' })
    expect(lstatSync(at('other', 'model.json')).isSymbolicLink()).toBe(true)
    expect((await loadModel(at('other'))).countParams()).toBe(8)
  })
})

describe('names', () => {
  // 255 bytes are the most that Linux, macOS and Windows take.
  test.each([247, 250, 255])('of %i characters can be saved', async (length) => {
    const name = `${'n'.repeat(length - 3)}.h5`
    await saveModel(model(), at(name))
    expect(readdirSync(folder)).toEqual([name])
  })
  test('of 255 bytes in other letters can, and longer ones are refused before anything is written', async () => {
    const name = `${'é'.repeat(125)}.json`
    await saveModel(model(), at(name))
    await expect(saveModel(model(), at(`é${name}`))).rejects.toThrow(
      /^saveModel: ".*" cannot be written \(ENAMETOOLONG\): its name is too long/,
    )
    expect(readdirSync(folder)).toEqual([name])
  })
})

describe('what is left of writers', () => {
  const dead = spawnSync(process.execPath, ['--version']).pid
  const living = (name = 'model.h5', id = newId()): string => nameWhileWritten(name, id)
  const killed = (name?: string, id?: string): string => living(name, id).replace(/-\d+-\d+-(\w+\.tmp)$/, `-${dead}-1-$1`)
  const elsewhere = (): string => living().replace(/cotangent-\w{8}/, 'cotangent-00000000')
  const put = (...names: string[]): void => {
    for (const name of names) writeFileSync(at(name), 'x')
  }

  test('goes with the next save if they are gone; what others write, or is called alike, stays', async () => {
    const old = elsewhere()
    const kept = [living(), elsewhere(), '.model.h5.tmp', `${killed()}~`, 'model.h5.123.abcdef01.tmp']
    put(...kept, killed(), killed('another.npz'), old)
    utimesSync(at(old), new Date(), new Date(Date.now() - 25 * 3600 * 1000))
    await saveModel(model(), at('model.h5'))
    expect(readdirSync(folder).sort()).toEqual([...kept, 'model.h5'].sort())
  })

  test.skipIf(process.platform !== 'linux')('goes if the number of its process is now that of another', async () => {
    put(living().replace(/-\d+-(\w+\.tmp)$/, '-1-$1'))
    await writeFileAtomic(at('x'), 'x')
    expect(readdirSync(folder)).toEqual(['x'])
  })

  test('shards: those of killed saves go, those that a .json or a living writer needs stay', async () => {
    const [gone, busy, copied] = [newId(), newId(), newId()]
    const shard = (id: string): string => `group1-shard1of1-${id}.bin`
    put(killed('model.json', gone), living('model.json', busy), shard(gone), shard(busy), shard(copied))
    writeFileSync(at('best.json'), JSON.stringify({ weightsManifest: [{ paths: [shard(copied)], weights: [] }] }))
    await saveModel(model(), folder, { format: 'tfjs' })
    const [{ paths }] = JSON.parse(readFileSync(at('model.json'), 'utf8')).weightsManifest
    expect(paths).toHaveLength(1)
    expect(
      readdirSync(folder)
        .filter((name) => name.endsWith('.bin'))
        .sort(),
    ).toEqual([shard(busy), shard(copied), ...paths].sort())
  })

  test('the shards of a replaced model go, also of one with standard names; files of others stay', async () => {
    const { modelJson, shards } = await modelToTfjs(model(), { shardBytes: 10 })
    writeFileSync(at('model.json'), modelJson)
    for (const [name, bytes] of shards) writeFileSync(at(name), bytes)
    put('group1-shard1of9.bin', 'data.bin', 'weights.bin')
    for (let i = 0; i < 2; i++) {
      await saveModel(model(), folder, { format: 'tfjs' })
      expect(readdirSync(folder)).toHaveLength(5)
      expect(readdirSync(folder)).toEqual(expect.arrayContaining(['data.bin', 'group1-shard1of9.bin', 'model.json', 'weights.bin']))
    }
    expect(await (await loadModel(folder)).getWeights()).toEqual(await model().getWeights())
  })

  test('who reads a folder while it is saved gets the new model', async () => {
    await saveModel(model(), at('m'), { format: 'tfjs' })
    const saves = (async () => {
      for (let i = 0; i < 20; i++) await saveModel(model(), at('m'), { format: 'tfjs' })
    })()
    let done = false
    void saves.then(() => {
      done = true
    })
    while (!done) (await loadModel(at('m'))).dispose()
    await saves
  })

  test('many saves at once to one path: one of them is there, whole, and nothing else', async () => {
    await Promise.all(Array.from({ length: 8 }, () => saveModel(model(), folder, { format: 'tfjs' })))
    await saveModel(model(), folder, { format: 'tfjs' })
    expect(readdirSync(folder)).toHaveLength(2)
    expect(await (await loadModel(folder)).getWeights()).toEqual(await model().getWeights())
  })
})

describe('messages name the function, the file and the reason', () => {
  const wrong: [string, () => Promise<unknown>, string][] = [
    [
      'ENOENT',
      () => saveModel(model(), at('none', 'm.h5')),
      'saveModel: "<>/none/m.h5" cannot be written (ENOENT): the folder "<>/none" is not there. Make it first.',
    ],
    [
      'EISDIR',
      () => saveWeights(model(), at('dir.h5')),
      'saveWeights: "<>/dir.h5" cannot be written (EISDIR): it is a folder. Name a file.',
    ],
    [
      'ENOTDIR',
      () => saveModel(model(), at('file', 'm.json')),
      'saveModel: "<>/file/m.json" cannot be written (ENOTDIR): "<>/file" is a file, not a folder.',
    ],
    [
      'ENOTDIR',
      () => saveModel(model(), at('file'), { format: 'tfjs' }),
      'saveModel: "<>/file" cannot be written (ENOTDIR): "<>/file" is a file, not a folder.',
    ],
    [
      'ENOTDIR',
      () => saveModel(model(), at('file', 'a', 'model.json')),
      'saveModel: "<>/file/a" cannot be written (ENOTDIR): "<>/file" is a file, not a folder.',
    ],
    [
      'EISDIR',
      () => saveModel(model(), at('strange'), { format: 'tfjs' }),
      'saveModel: "<>/strange/model.json" cannot be written (EISDIR): it is a folder. Name a file.',
    ],
    ['ENOENT', () => loadModel(at('no.h5')), 'loadModel: "<>/no.h5" cannot be read (ENOENT): there is no such file.'],
    [
      'ENOENT',
      () => loadModel(at('none', 'no.h5')),
      'loadModel: "<>/none/no.h5" cannot be read (ENOENT): the folder "<>/none" is not there.',
    ],
    ['ENOENT', () => loadModel(folder), 'loadModel: "<>/model.json" cannot be read (ENOENT): there is no such file.'],
    [
      'ENOTDIR',
      () => loadModel(at('file', 'm.h5')),
      'loadModel: "<>/file/m.h5" cannot be read (ENOTDIR): "<>/file" is a file, not a folder.',
    ],
    ['EISDIR', () => loadWeights(model(), at('dir.h5')), 'loadWeights: "<>/dir.h5" cannot be read (EISDIR): it is a folder. Name a file.'],
    [
      'ERR_INVALID_ARG_VALUE',
      () => writeFileAtomic(at('a\0b'), ''),
      'writeFileAtomic: "<>/a\0b" cannot be written (ERR_INVALID_ARG_VALUE): a path cannot hold the character 0.',
    ],
    [
      'ENOTDIR',
      () => fitWith(tensorBoard(at('file'))),
      'tensorBoard: "<>/file/train" cannot be written (ENOTDIR): "<>/file" is a file, not a folder.',
    ],
    ['EISDIR', () => fitWith(csvLogger(at('dir.h5'))), 'csvLogger: "<>/dir.h5" cannot be written (EISDIR): it is a folder. Name a file.'],
  ]
  const fitWith = async (callback: object): Promise<unknown> => {
    const net = model()
    net.compile({ optimizer: 'sgd', loss: 'mse' })
    return net.fit([[1, 2, 3]], [[1, 2]], { verbose: 0, callbacks: [callback] })
  }
  test.each(wrong)('%s %#', async (code, run, message) => {
    writeFileSync(at('file'), 'mine')
    for (const name of ['dir.h5', 'strange', 'strange/model.json']) mkdirSync(at(name))
    const error = await run().then(
      () => expect.fail('an error'),
      (error: unknown) => error as Error & { code: string },
    )
    expect(error).toBeInstanceOf(CotangentError)
    expect(error.message.replaceAll(folder, '<>')).toBe(message)
    expect(error.code).toBe(code)
    expect([readdirSync(folder).sort(), readFileSync(at('file'), 'utf8')]).toEqual([['dir.h5', 'file', 'strange'], 'mine'])
    expect(readdirSync(at('strange'))).toEqual(['model.json'])
  })

  test('wrong arguments', async () => {
    const junk = (value: unknown) => value as never
    await expect(saveModel(model(), junk(undefined))).rejects.toThrow('saveModel: the path must be a text, got undefined')
    await expect(saveModel(model(), 'm.h5', junk({ include_optimizer: false }))).rejects.toThrow(
      /saveModel: .*Did you mean "includeOptimizer"/,
    )
    await expect(saveModel(model(), 'm.h5', junk({ format: 'keras' }))).rejects.toThrow("must be 'tfjs'")
    await expect(saveWeights(model(), junk(new URL('file:///m.h5')))).rejects.toThrow('saveWeights: the path must be a text')
    await expect(loadModel(junk(null))).rejects.toThrow('loadModel: the path must be a text')
    await expect(loadWeights(model(), junk(3))).rejects.toThrow('loadWeights: the path must be a text')
    await expect(writeFileAtomic(at('x'), junk({ length: 3 }))).rejects.toThrow('writeFileAtomic: expected a Uint8Array or a text')
    expect(readdirSync(folder)).toEqual([])
  })

  test.skipIf(process.platform === 'win32')('a pipe stays one', async () => {
    execFileSync('mkfifo', [at('pipe')])
    await expect(writeFileAtomic(at('pipe'), 'x')).rejects.toThrow(
      /^writeFileAtomic: ".*pipe" is a device or a pipe, which cannot be replaced/,
    )
    expect(statSync(at('pipe')).isFIFO()).toBe(true)
  })

  test('a path from here, with a dot, finds its shards', async () => {
    const before = process.cwd()
    process.chdir(folder)
    try {
      await saveModel(model(), './a/b', { format: 'tfjs' })
      for (const path of ['./a/b/model.json', 'a/b', 'a/../a/b/model.json']) expect((await loadModel(path)).countParams()).toBe(8)
    } finally {
      process.chdir(before)
    }
  })
})

describe.skipIf(!isRoot || process.platform !== 'linux')('with the rights of the administrator', () => {
  const mounted: string[] = []
  afterAll(() => {
    for (const path of mounted) spawnSync('umount', [path])
  })
  const mount = (...options: string[]): boolean => {
    if (spawnSync('mount', ['-t', 'tmpfs', ...options, 'tmpfs', folder]).status !== 0) return false
    mounted.push(folder)
    return true
  }

  test('a full disk: the old files stay whole, and nothing else', async (context) => {
    if (!mount('-o', 'size=256k')) return context.skip('this machine mounts nothing')
    const [small, large] = [model(), new Sequential([dense(300, { inputShape: [300] })])]
    await saveModel(small, at('m.h5'))
    await saveModel(small, at('tfjs'), { format: 'tfjs' })
    const before = [readdirSync(folder), readdirSync(at('tfjs')), readFileSync(at('m.h5'))]
    await expect(saveModel(large, at('m.h5'))).rejects.toThrow(/^saveModel: ".*m\.h5" cannot be written \(ENOSPC\): the disk is full/)
    await expect(saveModel(large, at('tfjs'), { format: 'tfjs' })).rejects.toThrow(
      /^saveModel: ".*model\.json" cannot be written \(ENOSPC\)/,
    )
    await expect(saveModel(large, at('new', 'er'), { format: 'tfjs' })).rejects.toThrow('ENOSPC')
    expect([readdirSync(folder), readdirSync(at('tfjs')), readFileSync(at('m.h5'))]).toEqual(before)
    expect(await (await loadModel(at('tfjs'))).getWeights()).toEqual(await small.getWeights())

    // The disk takes the part of a line that fits into the last page of the file. That part is removed again.
    writeFileSync(at('log.csv'), `epoch,loss\r\n${'0,1\r\n'.repeat(818)}`) // 4,102 bytes: two pages
    const whole = readFileSync(at('log.csv'), 'utf8')
    expect(() => writeFileSync(at('filler'), Buffer.alloc(2 ** 20))).toThrow('ENOSPC')
    await expect(appendWhole('csvLogger', at('log.csv'), '9,'.repeat(5000))).rejects.toThrow(
      /^csvLogger: ".*log\.csv" cannot be written \(ENOSPC\)/,
    )
    expect(readFileSync(at('log.csv'), 'utf8')).toBe(whole)
  })

  test('a disk that is read-only', async (context) => {
    if (!mount('-o', 'ro')) return context.skip('this machine mounts nothing')
    await expect(saveModel(model(), at('m.h5'))).rejects.toThrow(
      /^saveModel: ".*" cannot be written \(EROFS\): the file system is read-only/,
    )
    await expect(saveModel(model(), at('m'), { format: 'tfjs' })).rejects.toThrow('EROFS')
    // The error comes before the first epoch, not after it.
    const net = model()
    net.compile({ optimizer: 'sgd', loss: 'mse' })
    const callbacks = [modelCheckpoint(at('{epoch}.h5'))]
    await expect(net.fit([[1, 2, 3]], [[1, 2]], { verbose: 0, callbacks })).rejects.toThrow(/^modelCheckpoint: .*EROFS/)
    expect(net.optimizer.steps).toBe(0)
  })

  test('a user who may not', async () => {
    const script = at('write.mjs')
    await bundle('../src/node/write-file.ts', script)
    const put = (name: string, bits: number, uid: number): void => {
      writeFileSync(at(name), 'old')
      chmodSync(at(name), bits)
      chownSync(at(name), uid, uid)
    }
    put('locked', 0o444, 65534)
    put('theirs', 0o644, 0)
    mkdirSync(at('closed'), { mode: 0o755 })
    for (const path of [root, folder]) chmodSync(path, 0o777)
    const program = `const { writeFileAtomic } = await import(process.argv[1])
      for (const path of process.argv.slice(2)) await writeFileAtomic(path, 'new').catch((error) => console.log(error.message))`
    const paths = ['locked', 'theirs', 'closed/x'].map((name) => at(name))
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', program, script, ...paths], {
      uid: 65534,
      gid: 65534,
      encoding: 'utf8',
    })
    expect(said.replaceAll(folder, '<>').trim().split('\n')).toEqual([
      'writeFileAtomic: "<>/locked" cannot be written (EACCES): it is write-protected for this user.',
      'writeFileAtomic: "<>/theirs" cannot be written (EACCES): it is write-protected for this user.',
      'writeFileAtomic: "<>/closed/x" cannot be written (EACCES): this user may not write to the folder "<>/closed".',
    ])
    for (const name of ['locked', 'theirs']) expect(readFileSync(at(name), 'utf8')).toBe('old')
  })
})
