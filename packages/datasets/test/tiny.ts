/** A published dataset of a few bytes, a fetch that answers from a table, and a machine with nothing else on it. */
import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { DatasetError } from '../src/errors.js'
import type { LoadOptions } from '../src/locating/dataset.js'
import { type HostOverrides, nodeHost } from '../src/locating/host.js'
import type { Fetch } from '../src/locating/http.js'
import { type ImageDataset, loadImages } from '../src/mnist/image-dataset.js'
import type { PublishedImages } from '../src/mnist/published.js'
import { encodeIdx, gzip, tempDir } from './helpers.js'

const pixels = (n: number, from: number) => ({ shape: [n, 2, 2], data: Uint8Array.from({ length: n * 4 }, (_, i) => from + i) })
const classes = (n: number) => ({ shape: [n], data: Uint8Array.from({ length: n }, (_, i) => i) })

/** Four small files in MNIST's layout: 3 training images and 2 test images of 2 × 2. */
export const tinyFiles: Readonly<Record<string, Uint8Array>> = {
  'train-images-idx3-ubyte': encodeIdx(pixels(3, 0)),
  'train-labels-idx1-ubyte': encodeIdx(classes(3)),
  't10k-images-idx3-ubyte': encodeIdx(pixels(2, 100)),
  't10k-labels-idx1-ubyte': encodeIdx(classes(2)),
}

const published = Object.entries(tinyFiles).map(([name, bytes]) => ({
  name,
  aliases: [name.replace('-idx', '.idx')],
  bytes: bytes.length,
  sha256: createHash('sha256').update(bytes).digest('hex'),
}))

/** `tinyFiles` as a published dataset with two addresses, an npm package and a system package. */
export const tiny = (systemDirectory = '/nonexistent/tiny'): PublishedImages => ({
  title: 'Tiny',
  folder: 'tiny',
  otherFolders: ['Tiny/raw'],
  files: [published[0], published[1], published[2], published[3]],
  addresses: ['https://first.example/tiny/', 'https://second.example/tiny'],
  npm: { name: 'tiny-data', folder: 'data' },
  system: { name: 'dataset-tiny', directory: systemDirectory },
})

type Answer = (url: string, signal?: AbortSignal) => Response | Promise<Response>

/** A fetch that answers by the last part of the address, and the addresses it was asked for. */
export function fakeFetch(answer: Answer): Fetch & { readonly asked: string[] } {
  const asked: string[] = []
  const fetch: Fetch = async (url, init) => {
    asked.push(url)
    return answer(url, init?.signal)
  }
  return Object.assign(fetch, { asked })
}

/** The packed file of `tinyFiles` that an address names. */
export function tinyPacked(url: string): Uint8Array<ArrayBuffer> {
  const name = url.replace(/^.*\//, '').replace(/\.gz$/, '')
  return new Uint8Array(gzip(tinyFiles[name]))
}

/** A body that ends with an error after some bytes. */
export const breaksOff = (bytes: Uint8Array<ArrayBuffer>): Response => {
  let sent = false
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      if (sent) return controller.error(new TypeError('terminated'))
      sent = true
      controller.enqueue(bytes.subarray(0, bytes.length >> 1))
    },
  })
  return new Response(body)
}

export const names = Object.keys(tinyFiles)
export const packedNames = names.map((name) => `${name}.gz`)

/** Writes the tiny dataset into a directory; `change` replaces a file's bytes, or leaves it out with undefined. */
export async function put(
  dir: string,
  options: { packed?: boolean; change?: Record<string, Uint8Array | undefined> } = {},
): Promise<string> {
  const { packed = false, change = {} } = options
  await mkdir(dir, { recursive: true })
  for (const [name, bytes] of Object.entries(tinyFiles)) {
    const content = name in change ? change[name] : packed ? gzip(bytes) : bytes
    if (content) await writeFile(join(dir, packed ? `${name}.gz` : name), content)
  }
  return dir
}

export interface Surroundings extends HostOverrides {
  system?: string
}

/** Loads the tiny dataset on a machine with nothing on it but what `surroundings` name, and no network. */
export async function load(options: LoadOptions = {}, surroundings: Surroundings = {}): Promise<ImageDataset> {
  const { system, ...overrides } = surroundings
  const host = await nodeHost({ env: {}, home: await tempDir(), packageRoots: [], ...overrides })
  return loadImages(tiny(system), { fetch: offline, ...options }, host)
}

export const offline = fakeFetch(() => {
  throw new TypeError('fetch failed', { cause: new Error('getaddrinfo ENOTFOUND first.example') })
})
export const online = () => fakeFetch((url) => new Response(tinyPacked(url)))

export function isTiny({ xTrain, yTrain, xTest, yTest }: ImageDataset): void {
  expect(xTrain).toEqual({ shape: [3, 2, 2], data: Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11) })
  expect(yTrain).toEqual({ shape: [3], data: Uint8Array.of(0, 1, 2) })
  expect(xTest.data[0]).toBe(100)
  expect(yTest.data).toEqual(Uint8Array.of(0, 1))
}

export async function failure(run: Promise<unknown>): Promise<string> {
  const error = await run.then(
    () => expect.fail('nothing was thrown'),
    (error: unknown) => error,
  )
  expect(error).toBeInstanceOf(DatasetError)
  return (error as DatasetError).message
}
