/** Random draws beyond `uniform` and `normal`. No derivative rule calls them, so a program that imports none holds none. */
export * from './draws.js'
export * from './dropout.js'
export * from './sample-logits.js'
