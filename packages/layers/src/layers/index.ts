/** All layers. */
export * from './activation.js'
export * from './dense.js'
export * from './dropout.js'
export * from './flatten.js'
export * from './reshape.js'
