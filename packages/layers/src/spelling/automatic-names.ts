/** Keras' automatic names: the class in snake case and a count, which the whole process shares. */
const counters = new Map<string, number>()

/**
 * Starts automatic names (`dense_1`, `sequential_1`) from 1 again.
 *
 * @example
 * ```ts
 * resetNames()
 * console.log(dense(2).name, dense(2).name, lstm(2).name)   // dense_1 dense_2 lstm_1
 * ```
 */
export function resetNames(): void {
  counters.clear()
}

/** Keras exports some classes under other names than they have in Python, of which it makes automatic names and the paths in files. */
export const pythonName = (className: string): string => (className === 'GroupQueryAttention' ? 'GroupedQueryAttention' : className)

/** `Conv2D` → `conv2d_1`, `MaxPooling2D` → `max_pooling2d_1`: snake case and a count for each class. */
export function automaticName(className: string): string {
  const snake = pythonName(className)
    .replace(/(.)([A-Z][a-z0-9]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
  const count = (counters.get(snake) ?? 0) + 1
  counters.set(snake, count)
  return `${snake}_${count}`
}

/** The names, where a name that occurs again gets a count, as Keras does with outputs: `lstm_1`, `lstm_1_1`. */
export function uniqueNames(names: readonly string[]): string[] {
  const taken = new Map<string, number>()
  return names.map((name) => {
    const count = taken.get(name) ?? 0
    taken.set(name, count + 1)
    return count === 0 ? name : `${name}_${count}`
  })
}

/** The name, or the first of name_1, name_2 … that is not taken, as in Keras. It is added to the taken ones. */
export function freeName(taken: Set<string>, name: string): string {
  let free = name
  for (let count = 1; taken.has(free); count++) free = `${name}_${count}`
  taken.add(free)
  return free
}
