/** Values as Python prints them, for programs that print what their document shows. */

/** `'cat'`, or `"don't"` if there is an apostrophe. It is for words: nothing is escaped. */
const stringText = (text: string): string => (text.includes("'") && !text.includes('"') ? `"${text}"` : `'${text}'`)

/** `{'the': 1, 'cat': 2}` */
export const dictText = (entries: ReadonlyMap<string, number>): string =>
  `{${Array.from(entries, ([name, value]) => `${stringText(name)}: ${value}`).join(', ')}}`

/** `OrderedDict([('the', 3), ('cat', 1)])`; `OrderedDict()` if it is empty. */
export const orderedDictText = (entries: ReadonlyMap<string, number>): string =>
  entries.size === 0
    ? 'OrderedDict()'
    : `OrderedDict([${Array.from(entries, ([name, value]) => `(${stringText(name)}, ${value})`).join(', ')}])`

/** `(25000, 500)`, `(25000,)` */
export const tupleText = (values: readonly number[]): string => `(${values.join(', ')}${values.length === 1 ? ',' : ''})`
