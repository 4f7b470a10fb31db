/** All layers. */

export * from './plain.js'
export * from './wrappers/bidirectional.js'
export * from './wrappers/spectral-normalization.js'
export * from './wrappers/time-distributed.js'
