/** @cotangent/datasets/formats: reading and writing the formats that hold arrays, for datasets and for model files. */
export { type GunzipOptions, gunzip } from './gzip.js'
export { type NpzEntry, type NpzOptions, parseNpy, parseNpz, writeNpy, writeNpz } from './npy-files.js'
export { isZip, type UnzipOptions, unzip, zip } from './zip.js'
