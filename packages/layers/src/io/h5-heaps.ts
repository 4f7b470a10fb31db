/** Checks heaps and B-trees of HDF5 files, III: each stays in its bounds and does not lead round in circles. */
import { ValueError } from '@cotangent/core'
import type { H5Bytes } from './h5-bytes.js'

/** The children of the leaves of a B-tree of version 1, III.A.1, each with the key before it: nodes of groups (type 0) or chunks (type 1). */
export function* childrenOf(file: H5Bytes, root: number, type: number, keyBytes: number): Generator<{ key: H5Bytes; child: number }> {
  const visited = new Set<number>()
  const open: { address: number; level?: number }[] = [{ address: root }]
  for (let next = open.pop(); next; next = open.pop()) {
    const { address, level } = next
    if (visited.has(address)) throw new ValueError(`the B-tree at ${root} leads back to its node at ${address}`)
    visited.add(address)
    const node = file.from(address).signature('TREE')
    const [itsType, itsLevel, entries] = [node.u8(), node.u8(), node.u16()]
    if (itsType !== type) throw new ValueError(`the B-tree at ${root} is of another type`)
    if (level !== undefined && itsLevel !== level)
      throw new ValueError(`the B-tree at ${root} has a node of level ${itsLevel} in the place of ${level}`)
    node.skip(2 * file.addressBytes)
    for (let i = 0; i < entries; i++) {
      const key = node.part(keyBytes)
      const child = node.place('a child of a B-tree')
      if (itsLevel === 0) yield { key, child }
      else open.push({ address: child, level: itsLevel - 1 })
    }
  }
}

/** Checks the heap of names of an old group. Returns a function that checks the name at an offset. */
export function localHeap(file: H5Bytes, address: number): (offset: number) => void {
  const heap = file.from(address).signature('HEAP')
  heap.version('a local heap', 0)
  const size = heap.skip(3).length()
  const firstFree = heap.length()
  const start = heap.place('the data of a local heap')
  file.from(start, size)
  // Each free block has the position of the next; 1 ends the list.
  const visited = new Set<number>()
  for (let free = firstFree; free !== 1; ) {
    if (visited.has(free)) throw new ValueError('the free space of a heap of names leads round in a circle')
    if (free >= size) break // all bits set, or an offset that the library refuses
    visited.add(free)
    free = file.from(start + free).length()
  }
  return (offset) => {
    const end = offset < size ? file.bytes.subarray(start, start + size).indexOf(0, offset) : -1
    if (end < 0) throw new ValueError('a name does not end in its heap')
  }
}

/**
 * Checks the collections of the global heap, III.E, which hold texts of varying length. It finds them by their first bytes, because what leads to them may be an
 * attribute in a separate heap. Returns the length of the longest text.
 */
export function checkCollections(file: H5Bytes): number {
  const { bytes } = file
  let longest = 0
  const first = [0x47, 0x43, 0x4f, 0x4c, 1, 0, 0, 0] // "GCOL", version 1
  for (let at = bytes.indexOf(first[0]); at >= 0; at = bytes.indexOf(first[0], at + 1))
    if (first.every((byte, i) => bytes[at + i] === byte)) longest = Math.max(longest, checkCollection(file, at))
  return longest
}

/** Checks a collection: objects one after the other, then free space. Returns the length of the longest object. */
function checkCollection(file: H5Bytes, address: number): number {
  let longest = 0
  const headBytes = 8 + file.lengthBytes
  const size = file.from(address).skip(8).length()
  const block = file.from(address, size).skip(headBytes)
  while (block.left >= headBytes) {
    const index = block.u16()
    const length = block.skip(6).length()
    if (index === 0) {
      // The length of free space includes its head.
      if (length < headBytes || length > block.left + headBytes) throw new ValueError(`the free space of a global heap has ${length} bytes`)
      return longest
    }
    longest = Math.max(longest, length)
    block.skip(Math.min(block.left, Math.ceil(length / 8) * 8))
  }
  return longest
}
