/** Options of a function or class as rows: name, type, default, meaning. */
import { type Comment, type DeclarationReflection, ReflectionKind, type SignatureReflection, type SomeType } from 'typedoc'

/** An object of options: the name of its interface if it has one, and its members. */
export interface Options {
  readonly name?: string
  readonly comment?: Comment
  readonly members: readonly DeclarationReflection[]
}

/** Types that change how names are written, or whether they must be there, but not which there are. */
const WRAPPERS = new Set(['SpelledOptions', 'Readonly', 'Partial', 'Required'])

/** The options that a type describes, if it is one of options. */
function optionsIn(type: SomeType | undefined): Options | undefined {
  if (!type) return undefined
  if (type.type === 'reference') {
    const [first, second] = type.typeArguments ?? []
    if (WRAPPERS.has(type.name)) return optionsIn(first)
    if (type.name === 'Omit') {
      const found = optionsIn(first)
      const left = new Set(second?.toString().match(/\w+/g))
      return found && { members: found.members.filter(({ name }) => !left.has(name)) }
    }
    const target = type.reflection as DeclarationReflection | undefined
    if (target?.kind === ReflectionKind.Interface && /(Options|Seeded)$/.test(target.name))
      return { name: target.name, comment: target.comment, members: target.children ?? [] }
    return target?.kind === ReflectionKind.TypeAlias && /Options$/.test(target.name) ? optionsIn(target.type) : undefined
  }
  if (type.type === 'union') return type.types.map(optionsIn).find(Boolean)
  if (type.type === 'intersection') {
    const found = type.types.map(optionsIn).filter((each) => each !== undefined)
    return found.length > 0 ? { members: found.flatMap(({ members }) => members) } : undefined
  }
  if (type.type !== 'reflection' || type.declaration.signatures) return undefined
  return { members: type.declaration.children ?? [] }
}

/** The options that a call takes: those of its last parameter that has any. A literal type without comments is clear from the signature. */
export function optionsOf(signatures: readonly SignatureReflection[]): Options | undefined {
  const found = signatures
    .flatMap(({ parameters }) => parameters?.map(({ type }) => optionsIn(type)) ?? [])
    .filter((each) => each !== undefined)
  const last = found.at(-1)
  return last && (last.name || last.members.some(({ comment }) => comment)) && last.members.length > 0 ? last : undefined
}

/** Clauses: a full stop ends one, a point in a number does not. */
const clauses = (text: string): string[] => text.split(/[.;:]\s+|\.$|[,(]\s/)

const WORDS: Readonly<Record<string, string>> = { None: 'none', True: 'true', False: 'false', All: 'all', 'it is': 'none' }

/** The default that a comment names: `@defaultValue`, or in words such as “0.5 by default”, “`valid` (default)”, “made from the class if left out”. */
export function defaultIn(comment: Comment | undefined): string | undefined {
  const plain = (parts: Comment['summary']): string =>
    parts
      .map(({ text }) => text)
      .join('')
      .replace(/\s+/g, ' ')
      .trim()
  const tag = comment?.blockTags.find((each) => each.tag === '@defaultValue')
  if (tag) return plain(tag.content)
  const text = plain(comment?.summary ?? [])
  if (/\bRequired\b/.test(text)) return 'required'
  const marked = /(`[^`]+`|'[^']+'|[^\s,;:(]+)\s\(default\)/.exec(text) ?? /(`[^`]+`)[^`]*?(?:, the default\b|, default\))/.exec(text)
  if (marked) return marked[1]
  const before = /^([\s\S]*?),? by default\b/.exec(text)
  const value = before && clauses(before[1]).at(-1)?.trim()
  if (value) return WORDS[value] ?? value.replace(/^(and|it is) /, '')
  const after = /\b(?:by default,?|if left out[,:]|left out[,:])\s+(.+?)(?:[.;:](?:\s|$)|$)/i.exec(text)
  if (after) return after[1]
  const without = /(?:^|[.;] )([^.;]*?),? if left out/.exec(text)
  return without?.[1]
}

const PARTS: readonly (readonly [RegExp, (weight: string) => string])[] = [
  [/Initializer$/, (weight) => `The initial values of the weights \`${weight}\`.`],
  [/Regularizer$/, (weight) => `A penalty on the weights \`${weight}\`, which is added to the loss; none by default.`],
  [/Constraint$/, (weight) => `A limit that the weights \`${weight}\` are held to after each update; none by default.`],
]

/** The meaning of a weight's option, which comes from a mapped type and so has no comment: packages/layers/src/weights/settings.ts. */
export function meaningOfWeight(name: string): string | undefined {
  const part = PARTS.find(([ending]) => ending.test(name))
  return part?.[1](name.replace(part[0], ''))
}

/** The names of scaled initial values, by mode and scale. */
const SCALED: Readonly<Record<string, string>> = { 'fan_avg 1': 'glorot', 'fan_in 2': 'he', 'fan_in 1': 'lecun' }

/** The value of an option in a config, as a program would write it. */
function written(value: unknown): string | undefined {
  if (value === undefined || typeof value === 'function') return undefined
  if (value === null) return '`null`'
  if (typeof value !== 'object') return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``
  if (Array.isArray(value)) return value.length <= 4 ? `\`${JSON.stringify(value)}\`` : undefined
  const { className, config } = value as { className?: unknown; config?: Record<string, unknown> }
  if (typeof className !== 'string') return undefined
  const scaled = className === 'VarianceScaling' && SCALED[`${config?.mode} ${config?.scale}`]
  const kind = /normal/.test(String(config?.distribution)) ? 'Normal' : 'Uniform'
  return `\`${scaled ? scaled + kind : className[0].toLowerCase() + className.slice(1)}\``
}

/** The defaults that an object says of itself when it is made without options: those that no comment names. */
export function defaultsOf(make: unknown, signature: SignatureReflection | undefined): Readonly<Record<string, string>> {
  if (typeof make !== 'function' || !signature) return {}
  try {
    const required = signature.parameters?.filter(({ flags, defaultValue }) => !flags.isOptional && !defaultValue) ?? []
    const made = make(...required.map(() => 2)) as { getConfig?(): Record<string, unknown> }
    const values = Object.entries(made.getConfig?.() ?? {}).map(([name, value]) => [name, written(value)])
    return Object.fromEntries(values.filter(([, value]) => value !== undefined))
  } catch {
    return {} // it needs other arguments than numbers
  }
}
