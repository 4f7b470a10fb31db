/** Reads the parts of `.keras` and `.h5` files, for tests of the files themselves. */

import { unzip } from '@cotangent/datasets/formats'
import { type Model, modelFromBytes, modelFromTfjs, modelToBytes, modelToTfjs } from '../src/index.js'
import { type H5Array, type H5Group, readH5 } from '../src/io/h5-tree.js'
import type { Json } from '../src/io/keras-object.js'

/** The JSON of a part of a `.keras` file. */
export const jsonOfZip = (bytes: Uint8Array, part = 'config.json'): Json =>
  JSON.parse(new TextDecoder().decode(unzip(bytes).get(part))) as Json

/** The arrays of a tree by their paths. */
export function arraysIn(group: H5Group, prefix = ''): Map<string, H5Array> {
  const own = [...group.arrays].map(([name, array]): [string, H5Array] => [`${prefix}${name}`, array])
  return new Map([...own, ...[...group.groups].flatMap(([name, inner]) => [...arraysIn(inner, `${prefix}${name}/`)])])
}

/** The arrays of a `.keras` file by their paths in `model.weights.h5`. */
export async function arraysOfZip(bytes: Uint8Array): Promise<Map<string, H5Array>> {
  const weights = unzip(bytes).get('model.weights.h5') ?? new Uint8Array()
  return arraysIn(await readH5(weights, 'model.weights.h5'))
}

/** Writes a model in a format, and reads it again. */
export const copiesByFormat: Readonly<Record<string, (net: Model) => Promise<Model>>> = {
  keras: async (net) => modelFromBytes(await modelToBytes(net, { format: 'keras' })),
  h5: async (net) => modelFromBytes(await modelToBytes(net)),
  tfjs: async (net) => {
    const { modelJson, shards } = await modelToTfjs(net)
    return modelFromTfjs(modelJson, shards)
  },
}
