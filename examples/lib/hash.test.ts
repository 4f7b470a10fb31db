/** Hashes are what the README says: computed here a second time, from bytes. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Parameter, tensor } from '@cotangent/core'
import { batchNormalization, dense, dropout, Sequential } from '@cotangent/layers'
import { saveModel } from '@cotangent/layers/node'
import { expect, test } from 'vitest'
import { dataHash, WeightsWitness, weightsHash } from './hash.js'

const sha = (...parts: readonly (string | Uint8Array)[]): string =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex')
const parameter = (name: string, values: Float32Array, shape: number[]) => new Parameter(tensor(values, { shape }), { name })

test('a weight is a line with its own name, type and shape, then its numbers as little-endian bytes', async () => {
  const kernel = parameter('dense_7/kernel', Float32Array.of(1, -2, 0.5, -0, 3, Number.POSITIVE_INFINITY), [2, 3])
  const bias = parameter('dense_7/bias', Float32Array.of(0.1), [1])
  const bytes = [
    '0000803f', // 1
    '000000c0', // −2
    '0000003f',
    '00000080', // −0
    '00004040',
    '0000807f', // ∞
  ]
  const expected = sha('kernel float32 2,3\n', Buffer.from(bytes.join(''), 'hex'), 'bias float32 1\n', Buffer.from('cdcccc3d', 'hex'))
  expect(await weightsHash([kernel, bias])).toBe(expected)
  expect(await weightsHash([bias, kernel])).not.toBe(expected)
})

test('the name of a layer does not count, the shape does', async () => {
  const values = Float32Array.of(1, 2, 3, 4)
  const hash = (name: string, shape: number[]) => weightsHash([parameter(name, values, shape)])
  expect(await hash('dense_1/kernel', [2, 2])).toBe(await hash('dense_8/kernel', [2, 2]))
  expect(await hash('dense_1/kernel', [2, 2])).not.toBe(await hash('dense_1/kernel', [4]))
})

test('every NaN counts as the same one, and one bit of a number counts', async () => {
  const nans = new Float32Array(Uint32Array.of(0x7fc00000, 0xffc00000, 0x7f800001, 0x7fc12345).buffer)
  const quiet = Buffer.from('0000c07f'.repeat(4), 'hex')
  expect(await weightsHash([parameter('w', nans, [4])])).toBe(sha('w float32 4\n', quiet))
  expect(dataHash([nans])).toBe(sha(quiet))
  expect(dataHash([Float32Array.of(1)])).not.toBe(dataHash([Float32Array.of(1 + 2 ** -23)]))
})

test('data are bytes, array after array', () => {
  const words = Int32Array.of(1, -1)
  const doubles = Float64Array.of(1, Number.NaN)
  const expected = sha(Buffer.from('01000000ffffffff', 'hex'), Buffer.from('000000000000f03f000000000000f87f', 'hex'), Buffer.from([7, 8]))
  expect(dataHash([words, doubles, Uint8Array.of(7, 8)])).toBe(expected)
})

test('the witness of a training has the hash of the weights after its last step', async () => {
  const make = () => {
    const model = new Sequential([dense(4, { inputShape: [3], activation: 'relu' }), dropout(0.3), dense(1)], { seed: 3 })
    model.compile({ optimizer: 'adam', loss: 'mse' })
    return model
  }
  const [x, y] = [
    tensor(
      Float32Array.from({ length: 60 }, (_, i) => Math.sin(i)),
      { shape: [20, 3] },
    ),
    tensor(new Float32Array(20).fill(1), { shape: [20, 1] }),
  ]
  const trained = async (epochs: number) => {
    const [model, witness] = [make(), new WeightsWitness()]
    expect(witness.sha256).toBeUndefined()
    await model.fit(x, y, { epochs, batchSize: 7, verbose: 0, callbacks: [witness] })
    expect(witness.sha256).toBe(await weightsHash(model.weights))
    return witness.sha256
  }
  const twice = await trained(2)
  expect(await trained(2)).toBe(twice)
  expect(await trained(3)).not.toBe(twice)
})

const python = '/usr/bin/python3'
const hasH5py = (): boolean => {
  try {
    execFileSync(python, ['-c', 'import h5py'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

test.skipIf(!hasH5py())("the README's Python gives the same hash of a saved model (needs h5py: apt-get install python3-h5py)", async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cotangent-hash-'))
  try {
    const layers = [dense(4, { inputShape: [3] }), batchNormalization(), dropout(0.2), dense(2, { useBias: false })]
    const model = new Sequential(layers, { seed: 5 })
    await saveModel(model, join(folder, 'model.h5'))
    const [, program] = /^```python\n([\s\S]*?)^```/m.exec(readFileSync(new URL('README.md', import.meta.url), 'utf8')) ?? []
    const printed = execFileSync(python, ['-c', program, join(folder, 'model.h5')], { encoding: 'utf8' })
    expect(printed.trim()).toBe(await weightsHash(model.weights))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
