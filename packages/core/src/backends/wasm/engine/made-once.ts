/** Values made when first asked for, and then kept. Kernels are compiled so: on first use. */

/** Returns a function whose first call makes the value; every call returns it. */
export function lazy<T extends object>(make: () => T): () => T {
  let value: T | undefined
  return () => {
    if (value === undefined) value = make()
    return value
  }
}

/** The map's value for a key; made and stored if it is missing. */
export function entry<K, V extends object>(map: Map<K, V>, key: K, make: (key: K) => V): V {
  let value = map.get(key)
  if (value === undefined) {
    value = make(key)
    map.set(key, value)
  }
  return value
}
