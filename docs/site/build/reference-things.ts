/** Things that belong together: a class, the function that makes it, and the options that both take are one part of a page. */
import { type DeclarationReflection, ReferenceType, type Reflection, ReflectionKind, type SignatureReflection } from 'typedoc'
import { type Options, optionsOf } from './reference-options.js'
import type { Entry } from './reference-read.js'

export interface Thing extends Entry {
  /** The class that the function makes. */
  readonly made?: Entry
  /** The interface of options that nothing else takes. */
  readonly own?: Entry
  readonly options?: Options
}

/** Types come after what a program calls. */
export const isType = ({ reflection: { kind } }: Entry): boolean => kind === ReflectionKind.Interface || kind === ReflectionKind.TypeAlias
export const isNamespace = ({ kind }: Reflection): boolean => kind === ReflectionKind.Namespace || kind === ReflectionKind.Module

/** The signatures of a function, or of a constant whose type is a function's, such as an op. */
export function signaturesOf(reflection: DeclarationReflection): readonly SignatureReflection[] {
  if (reflection.signatures) return reflection.signatures
  const { type } = reflection
  if (type?.type === 'reflection') return type.declaration.signatures ?? []
  if (type instanceof ReferenceType) {
    const named = type.reflection as DeclarationReflection | undefined
    if (named?.signatures) return named.signatures
    if (named?.type?.type === 'reflection') return named.type.declaration.signatures ?? []
  }
  return []
}

export const constructorOf = ({ children }: DeclarationReflection): SignatureReflection | undefined =>
  children?.find(({ kind }) => kind === ReflectionKind.Constructor)?.signatures?.[0]

/** The options of a function or class; an interface of options is its own. */
function optionsFor({ name, reflection }: Entry): Options | undefined {
  if (reflection.kind === ReflectionKind.Class) {
    const made = constructorOf(reflection)
    return made && optionsOf([made])
  }
  if (reflection.kind === ReflectionKind.Interface && /Options$/.test(name))
    return { name, comment: reflection.comment, members: reflection.children ?? [] }
  return isType({ reflection } as Entry) ? undefined : optionsOf(signaturesOf(reflection))
}

const membersOf = (entry: Entry): readonly Entry[] =>
  isNamespace(entry.reflection)
    ? (entry.reflection.children ?? []).map((reflection) => ({
        ...entry,
        name: `${entry.name}.${reflection.name}`,
        reflection,
        line: reflection.sources?.[0]?.line ?? entry.line,
      }))
    : []

/** The things of all packages. Options that a second thing takes, too, stay a part of their own. */
export function thingsOf(entries: readonly Entry[]): Thing[] {
  const key = ({ of }: Entry, name: string): string => `${of} ${name}`
  const byName = new Map(entries.map((entry) => [key(entry, entry.name), entry]))
  const makers = new Map<Entry, Entry>()
  for (const entry of entries) {
    const [type] = signaturesOf(entry.reflection).flatMap((each) => (each.type ? [each.type.toString()] : []))
    const made = type === undefined ? undefined : byName.get(key(entry, type))
    if (
      made?.reflection.kind === ReflectionKind.Class &&
      made.name.toLowerCase() === entry.name.toLowerCase() &&
      made.family === entry.family
    )
      makers.set(entry, made)
  }
  const madeByOne = new Set(makers.values())
  const takers = new Map<Entry, Entry[]>()
  for (const entry of entries.flatMap((each) => [each, ...membersOf(each)])) {
    if (isType(entry) || madeByOne.has(entry)) continue
    const { name } = optionsFor(entry) ?? {}
    const taken = name === undefined ? undefined : byName.get(key(entry, name))
    if (taken) takers.set(taken, [...(takers.get(taken) ?? []), entry])
  }
  const inside = new Set(
    [...takers]
      .filter(([options, [taker, ...others]]) => others.length === 0 && taker.family === options.family && !taker.name.includes('.'))
      .map(([options]) => options),
  )
  return entries
    .filter((entry) => !madeByOne.has(entry) && !inside.has(entry))
    .map((entry): Thing => {
      const options = optionsFor(entry)
      const own = options?.name === undefined ? undefined : byName.get(key(entry, options.name))
      return { ...entry, made: makers.get(entry), own: own && inside.has(own) ? own : undefined, options }
    })
}

/** The things in a namespace. */
export const thingsIn = (thing: Thing): Thing[] => membersOf(thing).map((entry) => ({ ...entry, options: optionsFor(entry) }))
