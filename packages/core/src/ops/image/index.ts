/** Images in other sizes and places. */
export * from './affine.js'
export * from './cells.js'
export * from './resize.js'
