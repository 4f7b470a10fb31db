/** All layers. */
export * from './bidirectional.js'
export * from './plain.js'
export * from './time-distributed.js'
