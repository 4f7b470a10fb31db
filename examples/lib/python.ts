/** Values as Python prints them, so that a program prints what its document shows. */

/** `'cat'`, or `"don't"` where there is an apostrophe. For words: nothing is escaped. */
const stringText = (text: string): string => (text.includes("'") && !text.includes('"') ? `"${text}"` : `'${text}'`)

/** `{'the': 1, 'cat': 2}` */
export const dictText = (entries: ReadonlyMap<string, number>): string =>
  `{${Array.from(entries, ([name, value]) => `${stringText(name)}: ${value}`).join(', ')}}`

/** `OrderedDict([('the', 3), ('cat', 1)])`; `OrderedDict()` of nothing. */
export const orderedDictText = (entries: ReadonlyMap<string, number>): string =>
  entries.size === 0
    ? 'OrderedDict()'
    : `OrderedDict([${Array.from(entries, ([name, value]) => `(${stringText(name)}, ${value})`).join(', ')}])`

/** `(25000, 500)`, `(25000,)` */
export const tupleText = (values: readonly number[]): string => `(${values.join(', ')}${values.length === 1 ? ',' : ''})`
