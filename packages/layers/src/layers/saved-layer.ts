/** Makes the layer inside a wrapper from its config. */
import { Layer } from '../layer.js'
import { classNameOf, type SavedObject, unknownName } from '../spelling/names.js'

/** The layer that a description names, by its class among those given. */
export function layerOf(wrapper: string, layer: Layer | SavedObject, classes: Readonly<Record<string, unknown>>): Layer {
  if (layer instanceof Layer) return layer
  const name = classNameOf(wrapper, layer)
  const found = classes[name] as { fromConfig?(config: object): Layer } | undefined
  if (!Object.hasOwn(classes, name) || !found?.fromConfig) {
    const names = Object.keys(classes).filter((key) => (classes[key] as { fromConfig?: unknown }).fromConfig)
    throw unknownName(`layer for ${wrapper}`, name, names)
  }
  return found.fromConfig(layer.config ?? {})
}
