/** Things made when first asked for: kernels are compiled on first use and kept. */

/** A value made by the first call and returned by every call. */
export function lazy<T extends object>(make: () => T): () => T {
  let value: T | undefined
  return () => {
    if (value === undefined) value = make()
    return value
  }
}

/** The map's entry, made if it is missing. */
export function entry<K, V extends object>(map: Map<K, V>, key: K, make: (key: K) => V): V {
  let value = map.get(key)
  if (value === undefined) {
    value = make(key)
    map.set(key, value)
  }
  return value
}
