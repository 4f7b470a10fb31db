/** Reads and writes models and weights, as bytes. `@cotangent/layers/node` does it for paths. */
export { type CustomObjects, type LayerClass, registerLayer } from './custom.js'
export {
  type ModelFormat,
  modelFromBytes,
  modelFromJSON,
  modelToBytes,
  modelToJSON,
  type WeightsFormat,
  type WeightsOptions,
  weightsFromBytes,
  weightsToBytes,
} from './model-files.js'
export type { LoadOptions } from './restore.js'
export { type NamedArray, readSafetensors, writeSafetensors } from './safetensors.js'
export { modelFromTfjs, modelToTfjs, type ShardSource, type TfjsModel } from './tfjs.js'
