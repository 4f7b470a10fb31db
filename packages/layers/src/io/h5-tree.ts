/**
 * HDF5 files as trees of groups, attributes and arrays. It uses h5wasm (the HDF5 library compiled to WebAssembly), which is loaded with the first file.
 *
 * The library trusts its input. So h5-check.ts checks a file's structures first. Each call makes a file of its own in the library's file system, and always closes
 * and removes it. Counts are checked against the size of the file and a limit before anything is allocated. No object of the library leaves this module.
 */
import { sizeOf, ValueError } from '@cotangent/core'
import type { Dataset, Group } from 'h5wasm'
import { checkH5, type H5Contents } from './h5-check.js'
import { memoryLimit } from './limits.js'

/** The value of an attribute: text, a list of texts, or numbers. */
type H5Attribute = string | readonly string[] | readonly number[]
/** Element types of arrays. */
export type H5Data = Float32Array | Float64Array | BigInt64Array | Int32Array

/** Integers of any width as float64. A loop, since `Float64Array.from` with a function makes a JavaScript array first. */
export function floatsOf(data: ArrayLike<number | bigint>): Float64Array {
  const out = new Float64Array(data.length)
  for (let i = 0; i < out.length; i++) out[i] = Number(data[i])
  return out
}
/** An array of a file. */
export interface H5Array {
  readonly shape: readonly number[]
  readonly data: H5Data
}
/** A group of a file, with everything in it. */
export interface H5Group {
  readonly attributes: Map<string, H5Attribute>
  readonly groups: Map<string, H5Group>
  readonly arrays: Map<string, H5Array>
}

/** An empty group. */
export const newGroup = (): H5Group => ({ attributes: new Map(), groups: new Map(), arrays: new Map() })

/** Whether bytes begin with HDF5's signature. */
export const isH5 = (bytes: Uint8Array): boolean => [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a].every((byte, i) => bytes[i] === byte)

/** Far more objects, and deeper groups, than Keras writes. A damaged file may link a group to itself. */
const MOST_OBJECTS = 50_000
const DEEPEST = 64

let files = 0

/** Runs work on a file in the library's file system, and removes the file in any case. */
async function withFile<T>(
  work: (name: string, h5: typeof import('h5wasm'), fs: { read(): Uint8Array; write(bytes: Uint8Array): void }) => T,
): Promise<T> {
  const h5 = await import('h5wasm')
  const { FS, activate_throwing_error_handler } = await h5.ready
  activate_throwing_error_handler()
  const name = `cotangent-${files++}.h5`
  try {
    return work(name, h5, { read: () => FS.readFile(name), write: (bytes) => FS.writeFile(name, bytes) })
  } finally {
    if (FS.analyzePath(name, false).exists) FS.unlink(name)
  }
}

/** The library's first complaint, without the stack after it. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return /#000:.*?\(\): (.*)/.exec(text)?.[1] ?? text.split('\n')[0]
}

/**
 * The tree of a file.
 *
 * @param what the name of the file in messages
 * @param maxBytes the bytes that its arrays and attributes may take
 * @throws ValueError that names file and part for anything but a whole HDF5 file
 */
export async function readH5(bytes: Uint8Array, what: string, maxBytes = memoryLimit(bytes.length)): Promise<H5Group> {
  if (!isH5(bytes)) throw new ValueError(`${what}: not an HDF5 file: its first bytes are not HDF5's signature.`)
  let contents: H5Contents
  try {
    contents = checkH5(bytes)
  } catch (error) {
    throw new ValueError(`${what}: a damaged or truncated HDF5 file, ${bytes.length} bytes long (${reasonOf(error)}).`)
  }
  return withFile((name, h5, fs) => {
    fs.write(bytes)
    let part = 'root'
    const reader = new Reader(h5, bytes.length, maxBytes, contents, (path) => {
      part = path === '' ? 'root' : `"${path}"`
    })
    let file: { close(): unknown } & Group
    try {
      file = new h5.File(name, 'r')
    } catch (error) {
      throw new ValueError(`${what}: a damaged or truncated HDF5 file, ${bytes.length} bytes long (${reasonOf(error)}).`)
    }
    try {
      return reader.root(file)
    } catch (error) {
      if (error instanceof TooMuch) throw new ValueError(`${what}: ${part}: ${error.message}`)
      throw new ValueError(`${what}: damaged or truncated at ${part}, ${bytes.length} bytes long (${reasonOf(error)}).`)
    } finally {
      try {
        file.close()
      } catch {
        // Closing a damaged file may fail, too. The first error is being thrown already.
      }
    }
  })
}

/** The file may be whole, but asks for more than the limit. */
class TooMuch extends ValueError {}

const tooMuch = (problem: string, most: number): TooMuch =>
  new TooMuch(`${problem}, more than the ${most} expected at most; if you trust it, pass a larger maxBytes.`)

class Reader {
  readonly #h5: typeof import('h5wasm')
  readonly #fileBytes: number
  readonly #maxBytes: number
  readonly #contents: H5Contents
  readonly #at: (path: string) => void
  /** The number of attributes of groups so far. */
  #attributes = 0
  #objects = 0
  #taken = 0

  constructor(h5: typeof import('h5wasm'), fileBytes: number, maxBytes: number, contents: H5Contents, at: (path: string) => void) {
    this.#h5 = h5
    this.#fileBytes = fileBytes
    this.#maxBytes = maxBytes
    this.#contents = contents
    this.#at = at
  }

  root(file: Group): H5Group {
    const { attributes, textBytes } = this.#contents
    this.#take(textBytes)
    const root = this.#group(file, '', 0)
    if (this.#attributes < attributes) throw new ValueError(`${this.#attributes} of the ${attributes} attributes of its groups can be read`)
    return root
  }

  #group(group: Group, path: string, depth: number): H5Group {
    if (depth > DEEPEST || ++this.#objects > MOST_OBJECTS) throw new ValueError('groups without end')
    this.#at(path)
    const out = newGroup()
    for (const [name, attribute] of Object.entries(group.attrs)) {
      this.#at(`${path}@${name}`)
      this.#attributes++
      this.#count(attribute.shape ?? [], 1, true)
      if (attribute.metadata.vlen) this.#take(sizeOf(attribute.shape ?? []) * this.#contents.longestText)
      const value = attribute.value
      if (typeof value === 'string') out.attributes.set(name, value)
      else if (Array.isArray(value) && value.every((item) => typeof item === 'string')) out.attributes.set(name, value)
      else if (typeof value === 'number' || typeof value === 'bigint') out.attributes.set(name, [Number(value)])
      else if (ArrayBuffer.isView(value)) out.attributes.set(name, Array.from(value as unknown as ArrayLike<number | bigint>, Number))
    }
    for (const name of group.keys()) {
      const at = path === '' ? name : `${path}/${name}`
      this.#at(at)
      const entity = group.get(name)
      if (entity instanceof this.#h5.Dataset) out.arrays.set(name, this.#array(entity))
      else if (entity instanceof this.#h5.Group) out.groups.set(name, this.#group(entity, at, depth + 1))
    }
    return out
  }

  #array(dataset: Dataset): H5Array {
    if (++this.#objects > MOST_OBJECTS) throw new ValueError('more arrays than a model has')
    const { type, size, chunks } = dataset.metadata
    const shape = dataset.shape ?? []
    this.#count(shape, size, chunks !== null)
    if (chunks) this.#countChunks(shape, size, chunks)
    if ((type !== 0 && type !== 1) || (type === 1 && size < 4)) {
      throw new ValueError(`elements of HDF5 type ${type} with ${size} bytes; save the weights as float32`)
    }
    const count = shape.reduce((a, b) => a * b, 1)
    const value = count === 0 ? new Float32Array(0) : dataset.value
    const data = typeof value === 'number' ? Float64Array.of(value) : typeof value === 'bigint' ? BigInt64Array.of(value) : value
    if (!ArrayBuffer.isView(data) || (data as unknown as ArrayLike<number>).length !== count)
      throw new ValueError('its elements are not there')
    const known =
      data instanceof Float32Array || data instanceof Float64Array || data instanceof BigInt64Array || data instanceof Int32Array
    return { shape: [...shape], data: known ? data : floatsOf(data as unknown as ArrayLike<number | bigint>) }
  }

  /**
   * Counts the bytes about to be read. An unpacked array is no larger than its file; deflate packs at most 1032 to 1 (RFC 1951). An array with several names
   * counts for each.
   */
  #count(shape: readonly number[], elementBytes: number, packed: boolean): void {
    const bytes = shape.reduce((a, b) => a * b, elementBytes)
    if (!(bytes <= this.#fileBytes * (packed ? 1032 : 1))) throw new ValueError(`[${shape.join(', ')}] is more than the file can hold`)
    this.#take(bytes)
  }

  #take(bytes: number): void {
    this.#taken += bytes
    if (this.#taken > this.#maxBytes) throw tooMuch(`the file asks for ${this.#taken} bytes`, this.#maxBytes)
  }

  /** Counts chunks: the library looks for every chunk of an array, there or not, and unpacks the whole chunk even if most of it lies outside the array. */
  #countChunks(shape: readonly number[], elementBytes: number, chunks: readonly number[]): void {
    const bytes = chunks.reduce((a, b) => a * b, elementBytes)
    const count = shape.reduce((n, length, axis) => n * Math.ceil(length / chunks[axis]), 1)
    // A chunk takes at least its key in the tree, 24 bytes, and an address.
    if (!(bytes > 0 && count <= Math.max(1, this.#fileBytes / 32))) throw new ValueError(`${count} chunks are more than the file can hold`)
    if (bytes > this.#maxBytes) throw tooMuch(`a chunk takes ${bytes} bytes`, this.#maxBytes)
  }
}

/** Whether text can be stored as ASCII. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant
const isAscii = (text: string): boolean => /^[\x00-\x7f]*$/.test(text)

/**
 * The bytes of a file with this tree.
 *
 * Text is ASCII if possible: Keras 2.3 wrote that, and h5py 2 returns it as bytes. Single strings have variable length, strings in lists a fixed one.
 */
export async function writeH5(root: H5Group): Promise<Uint8Array> {
  return withFile((name, h5, fs) => {
    const file = new h5.File(name, 'w')
    try {
      writeGroup(file, root)
    } catch (error) {
      throw new ValueError(`an HDF5 file cannot hold this model (${reasonOf(error)}). Is a layer's name "."?`)
    } finally {
      file.close()
    }
    return fs.read()
  })
}

function writeGroup(group: Group, { attributes, groups, arrays }: H5Group): void {
  for (const [name, value] of attributes) writeAttribute(group, name, value)
  for (const [name, { shape, data }] of arrays) {
    const dtype = data instanceof Float32Array ? '<f' : data instanceof Float64Array ? '<d' : data instanceof BigInt64Array ? '<q' : '<i'
    group.create_dataset({ name, data, shape: [...shape], dtype })
  }
  for (const [name, inner] of groups) writeGroup(group.create_group(name), inner)
}

function writeAttribute(group: Group, name: string, value: H5Attribute): void {
  if (typeof value === 'string') group.create_attribute(name, value, null, isAscii(value) ? 'A' : 'S')
  else if (value.length === 0)
    group.create_attribute(name, new Float64Array(0), [0], '<d') // as h5py writes an empty list
  else if (value.every((item) => typeof item === 'number')) group.create_attribute(name, Float64Array.from(value), [value.length], '<d')
  else {
    const list = value as string[]
    const longest = Math.max(1, ...list.map((text) => new TextEncoder().encode(text).length))
    group.create_attribute(name, list, null, `${list.every(isAscii) ? 'A' : 'S'}${longest}`)
  }
}
