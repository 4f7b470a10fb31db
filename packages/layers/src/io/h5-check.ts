/**
 * Checks an HDF5 file's structures before the HDF5 library reads them. The library trusts its input: damaged files make it loop, and nobody can stop that.
 *
 * It follows every structure without a checksum, each once and within its bounds: object headers, groups of symbol tables and of links, heaps of names and
 * texts, B-trees of chunks. Where structures have checksums (groups and attributes in their own heaps, `libver="latest"`), the library itself finds damage.
 */
import { ValueError } from '@cotangent/core'
import { H5Bytes, NOWHERE } from './h5-bytes.js'
import { checkCollections, childrenOf, localHeap } from './h5-heaps.js'

/** Messages of an object header by their numbers in the specification, IV.A.2. */
const kinds = {
  linkInfo: 0x02,
  datatype: 0x03,
  link: 0x06,
  layout: 0x08,
  attribute: 0x0c,
  continuation: 0x10,
  symbolTable: 0x11,
  attributeInfo: 0x15,
} as const
const ofGroups: readonly number[] = [kinds.linkInfo, kinds.link, kinds.symbolTable]

/** Kinds of elements, IV.A.2.d. */
const classes = { compound: 6, enumeration: 8, varying: 9, array: 10 } as const

/** Facts about a file that the library does not tell before it reads it. */
export interface H5Contents {
  /** The number of attributes of its groups. If they are damaged, the library reads none of them, without an error. */
  readonly attributes: number
  /** The bytes of the texts of varying length in attributes. A text counts for each reference to it, because the library copies it each time. */
  readonly textBytes: number
  /** Where attributes are in a separate heap, their references are not seen here: then the length of the longest text, else 0. */
  readonly longestText: number
}

/**
 * Checks a file.
 *
 * @throws ValueError that says what is wrong with the file, without its name
 */
export function checkH5(bytes: Uint8Array): H5Contents {
  const { file, objects } = openFile(bytes)
  const check = new Check(file)
  check.objects(objects)
  const longest = checkCollections(file)
  const { attributes, textBytes, inHeap } = check
  return { attributes, textBytes, longestText: inHeap ? longest : 0 }
}

/** Reads the superblock, II, and the addresses of the objects that it names. */
function openFile(bytes: Uint8Array): { file: H5Bytes; objects: number[] } {
  const start = new H5Bytes(bytes).skip(8)
  const version = start.version('the file', 0, 1, 2, 3)
  if (version < 2) start.skip(4)
  const [addressBytes, lengthBytes] = [start.u8(), start.u8()]
  for (const width of [addressBytes, lengthBytes])
    if (![2, 4, 8].includes(width)) throw new ValueError(`addresses or lengths of ${width} bytes`)
  const file = new H5Bytes(bytes, addressBytes, lengthBytes, start.at)
  file.skip(version === 0 ? 9 : version === 1 ? 13 : 1)
  const base = file.address()
  if (base !== 0) throw new ValueError(`addresses count from ${base}`)
  const extension = file.address()
  const end = file.whole(addressBytes)
  if (end > bytes.length) throw new ValueError(`it should be ${end} bytes long`)
  if (version < 2) file.skip(2 * addressBytes) // the addresses of the driver and of the root's name
  const root = file.place('the root')
  return { file, objects: version >= 2 && extension !== NOWHERE ? [root, extension] : [root] }
}

class Check {
  readonly #file: H5Bytes
  /** Object headers still to check. */
  readonly #queue: number[] = []
  readonly #objects = new Set<number>()
  attributes = 0
  textBytes = 0
  /** Whether attributes are in a separate heap. */
  inHeap = false

  constructor(file: H5Bytes) {
    this.#file = file
  }

  /** Checks objects and everything they lead to. */
  objects(addresses: readonly number[]): void {
    for (const address of addresses) this.#meet(address)
    for (let next = this.#queue.pop(); next !== undefined; next = this.#queue.pop()) this.#header(next)
  }

  #meet(address: number): void {
    if (this.#objects.has(address)) return
    this.#objects.add(address)
    this.#queue.push(address)
  }

  /** Checks an object header and its further blocks. */
  #header(address: number): void {
    const isNew = this.#file.bytes[address] === 0x4f // "OHDR"
    const { first, messageBytes } = isNew ? newHeader(this.#file.from(address)) : oldHeader(this.#file.from(address))
    const visited = new Set([address])
    const blocks = [first]
    let attributes = 0
    let isGroup = false
    for (let block = blocks.pop(); block; block = blocks.pop()) {
      while (block.left >= messageBytes) {
        const kind = isNew ? block.u8() : block.u16()
        const size = block.u16()
        const flags = block.u8()
        block.skip(messageBytes - (isNew ? 4 : 5))
        const body = block.part(size)
        isGroup ||= ofGroups.includes(kind)
        if (kind === kinds.attribute) attributes++
        if (kind === kinds.continuation) {
          const next = body.place('the continuation of an object header')
          if (visited.has(next)) throw new ValueError(`the object header at ${address} goes on in itself`)
          visited.add(next)
          const length = body.length()
          if (isNew)
            blocks.push(
              this.#file
                .from(next, length)
                .signature('OCHK')
                .part(length - 8),
            ) // a checksum ends it
          else blocks.push(this.#file.from(next, length))
        } else if (flags & 2) this.#shared(body)
        else if (kind === kinds.attributeInfo) attributes += this.#manyAttributes(body)
        else this.#message(kind, body)
      }
    }
    if (isGroup) this.attributes += attributes
  }

  #message(kind: number, body: H5Bytes): void {
    if (kind === kinds.symbolTable) this.#symbols(body)
    else if (kind === kinds.link) this.#link(body)
    else if (kind === kinds.attribute) this.#attribute(body)
    else if (kind === kinds.datatype) checkType(body)
    else if (kind === kinds.layout) this.#layout(body)
  }

  /** A message stored in another object, as committed types are. */
  #shared(body: H5Bytes): void {
    const version = body.version('a shared message', 1, 2, 3)
    const type = body.u8()
    if (version === 3 && type === 1) return // in a heap with checksums
    if (version === 1) body.skip(6)
    this.#meet(body.place('a shared message'))
  }

  /** The members of an old group: a B-tree of symbol tables, III.B, whose names are in a local heap, III.D. */
  #symbols(body: H5Bytes): void {
    const tree = body.place('the members of a group')
    const names = localHeap(this.#file, body.place('the names of a group'))
    for (const { child } of childrenOf(this.#file, tree, 0, this.#file.lengthBytes)) {
      const node = this.#file.from(child).signature('SNOD')
      node.version('a symbol table', 1)
      node.skip(1)
      const count = node.u16()
      for (let i = 0; i < count; i++) {
        names(node.length())
        const address = node.address()
        const cached = node.u32()
        const scratch = node.skip(4).part(16)
        if (cached === 2) names(scratch.u32())
        else if (address === NOWHERE) throw new ValueError('a member of a group is nowhere')
        else this.#meet(address)
      }
    }
  }

  /** A member of a newer group, IV.A.2.g. */
  #link(body: H5Bytes): void {
    body.version('a link', 1)
    const flags = body.u8()
    const type = flags & 8 ? body.u8() : 0
    body.skip((flags & 4 ? 8 : 0) + (flags & 16 ? 1 : 0))
    body.skip(body.whole(1 << (flags & 3)))
    if (type === 0) this.#meet(body.place('a member of a group'))
    else body.skip(body.u16())
  }

  /** An attribute, IV.A.2.m. */
  #attribute(body: H5Bytes): void {
    const version = body.version('an attribute', 1, 2, 3)
    const flags = version > 1 ? body.u8() : body.skip(1) && 0
    const [nameBytes, typeBytes, spaceBytes] = [body.u16(), body.u16(), body.u16()]
    if (version === 3) body.skip(1)
    const padded = (bytes: number): number => (version === 1 ? Math.ceil(bytes / 8) * 8 : bytes)
    body.skip(padded(nameBytes))
    const type = body.part(padded(typeBytes))
    const space = body.part(padded(spaceBytes))
    if (flags & 2) this.#shared(space)
    if (flags & 1) this.#shared(type)
    else if (checkType(type) !== classes.varying) return
    // Each text is its length, and the place of its bytes in a global heap. A committed type may be one of texts, too.
    while (body.left >= 8 + body.addressBytes) {
      this.textBytes += body.u32()
      body.skip(body.addressBytes + 4)
    }
  }

  /** The number of attributes in a separate heap, from the head of their B-tree, III.A.2. */
  #manyAttributes(body: H5Bytes): number {
    body.version('the attributes of an object', 0)
    body.skip(body.u8() & 1 ? 2 : 0)
    const heap = body.address()
    const tree = body.address()
    if (heap === NOWHERE || tree === NOWHERE) return 0
    this.inHeap = true
    return this.#file
      .from(tree)
      .signature('BTHD')
      .skip(12 + this.#file.addressBytes + 2)
      .length()
  }

  /** The position of an array's elements, IV.A.2.i. Only chunks in a B-tree lead on without a checksum. */
  #layout(body: H5Bytes): void {
    const version = body.version('a layout', 1, 2, 3, 4, 5)
    if (version > 3) return
    const ofOld = version < 3 ? body.u8() : 0
    if (body.u8() !== 2) return
    const rank = version < 3 ? ofOld : body.u8()
    if (version < 3) body.skip(5)
    const tree = body.address()
    if (tree === NOWHERE) return
    for (const { key, child } of childrenOf(this.#file, tree, 1, 8 + 8 * rank)) this.#file.from(child, key.u32())
  }
}

interface Header {
  readonly first: H5Bytes
  /** The length of the head of a message. */
  readonly messageBytes: number
}

function oldHeader(start: H5Bytes): Header {
  start.version(`the object header at ${start.at}`, 1)
  const size = start.skip(7).u32()
  return { first: start.skip(4).part(size), messageBytes: 8 }
}

function newHeader(start: H5Bytes): Header {
  start.signature('OHDR').version(`the object header at ${start.at}`, 2)
  const flags = start.u8()
  start.skip((flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0))
  return { first: start.part(start.whole(1 << (flags & 3))), messageBytes: flags & 4 ? 6 : 4 }
}

/** The depth of types inside types that arrays and attributes of Keras need: an array of an enumeration of whole numbers. */
const DEEPEST_TYPE = 4

/** The class of a type. Compound types are refused: nested deep enough, they overflow the library's stack. */
function checkType(body: H5Bytes, depth = 0): number {
  const first = body.u8()
  const [kind, version] = [first & 15, first >> 4]
  body.skip(7)
  if (kind === classes.compound) throw new ValueError('elements of several parts (compound types), which no file of Keras has')
  if (depth > DEEPEST_TYPE) throw new ValueError(`types lie in each other more than ${DEEPEST_TYPE} deep`)
  if (kind === classes.array) {
    const rank = body.u8()
    body.skip((version < 3 ? 3 : 0) + 4 * rank * (version < 3 ? 2 : 1))
  }
  if (kind === classes.array || kind === classes.varying || kind === classes.enumeration) checkType(body, depth + 1)
  return kind
}
