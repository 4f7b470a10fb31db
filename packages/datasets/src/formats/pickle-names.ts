/** The names that a pickle may ask for, and those it may not. */

/** The only names, and what calling them gives. */
export const known: Readonly<Record<string, 'array' | 'dtype' | 'text' | undefined>> = {
  'numpy.core.multiarray _reconstruct': 'array',
  'numpy._core.multiarray _reconstruct': 'array',
  'numpy ndarray': undefined,
  'numpy dtype': 'dtype',
  // How protocol 2 writes the bytes b'b'.
  '_codecs encode': 'text',
}

/** Names of instructions that are refused, by code, for the messages. */
export const refused = new Map(
  (
    '46 FLOAT,47 BINFLOAT,49 INT,4c LONG,50 PERSID,51 BINPERSID,53 STRING,56 UNICODE,64 DICT,69 INST,6f OBJ,73 SETITEM,75 SETITEMS,' +
    '7d EMPTY_DICT,81 NEWOBJ,82 EXT1,83 EXT2,84 EXT4,8f EMPTY_SET,90 ADDITEMS,91 FROZENSET,92 NEWOBJ_EX,96 BYTEARRAY8'
  )
    .split(',')
    .map((item) => [Number.parseInt(item, 16), item.slice(3)]),
)
