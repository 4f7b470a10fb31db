/** Makes zip archives field by field, with true or false values, for tests of readers. */

/** The fields of an entry's header. */
export interface Fields {
  name: string
  /** 0: stored; 8: deflated. */
  method?: number
  flags?: number
  crc?: number
  packedSize: number
  size: number
}

function header({ name, method = 0, flags = 0, crc = 0, packedSize, size }: Fields, offset?: number): Buffer {
  const at = offset === undefined ? 4 : 6
  const out = Buffer.alloc(offset === undefined ? 30 : 46)
  out.writeUInt32LE(offset === undefined ? 0x04034b50 : 0x02014b50, 0)
  out.writeUInt16LE(flags, at + 2)
  out.writeUInt16LE(method, at + 4)
  out.writeUInt32LE(crc, at + 10)
  out.writeUInt32LE(packedSize, at + 14)
  out.writeUInt32LE(size, at + 18)
  out.writeUInt16LE(Buffer.byteLength(name), at + 22)
  if (offset !== undefined) out.writeUInt32LE(offset, 42)
  return Buffer.concat([out, Buffer.from(name)])
}

/** An archive with these blocks, and a directory with any entries. An entry starts at the block that it names, 0 by default. */
export function archive(
  blocks: readonly { fields: Fields; bytes: Uint8Array }[],
  directory: readonly { fields: Fields; block?: number; offset?: number }[],
): Uint8Array {
  const offsets: number[] = []
  const pieces: Uint8Array[] = []
  let length = 0
  for (const { fields, bytes } of blocks) {
    offsets.push(length)
    const piece = Buffer.concat([header(fields), bytes])
    pieces.push(piece)
    length += piece.length
  }
  const entries = Buffer.concat(directory.map(({ fields, block = 0, offset }) => header(fields, offset ?? offsets[block])))
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(directory.length, 8)
  end.writeUInt16LE(directory.length, 10)
  end.writeUInt32LE(entries.length, 12)
  end.writeUInt32LE(length, 16)
  return new Uint8Array(Buffer.concat([...pieces, entries, end]))
}
