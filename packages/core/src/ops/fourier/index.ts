/** The public names of Fourier transforms. */
export type { ComplexTensor } from './dft.js'
export * from './fourier.js'
export { type StftOptions, stft } from './stft.js'
