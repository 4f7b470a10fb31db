/**
 * The reference: pages made from the documentation comments, one for each folder of sources. TypeDoc reads them; the rule of an op's derivative comes from the registry
 * of ops, as it stands on the tape.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { registry } from '@cotangent/core'
import {
  Application,
  type Comment,
  type CommentDisplayPart,
  type DeclarationReflection,
  ReferenceReflection,
  ReferenceType,
  type Reflection,
  ReflectionKind,
  type SignatureReflection,
} from 'typedoc'
import { hash, keep, kept } from './cache.js'
import { type Family, families, familyOf } from './families.js'
import { top } from './places.js'

/** A page as Markdown. */
export interface ReferencePage {
  readonly url: string
  readonly title: string
  readonly markdown: string
  readonly names: readonly string[]
}

/** The source files of what programs import from, by package; the first is the package itself. */
const entries = { core: ['index', 'gpu', 'kernels'], layers: ['index', 'node/index', 'report/index'], datasets: ['index'] } as const

/** The entry that a program imports a name from. */
const moduleOf = (name: string, entry: string): string => `@cotangent/${name}/${entry.replace(/(^|\/)index$/, '')}`.replace(/\/$/, '')

interface Entry {
  readonly name: string
  readonly module: string
  readonly reflection: DeclarationReflection
  readonly file: string
  readonly line: number
  readonly family: Family
}

async function read(name: keyof typeof entries): Promise<Entry[]> {
  const app = await Application.bootstrap({
    entryPoints: entries[name].map((entry) => join(top, `packages/${name}/src/${entry}.ts`)),
    tsconfig: join(top, `packages/${name}/tsconfig.json`),
    basePath: top,
    readme: 'none',
    // The compiler checks the sources elsewhere.
    skipErrorChecking: true,
    disableGit: true,
    sourceLinkTemplate: '{path}#{line}',
    excludePrivate: true,
    excludeProtected: true,
    excludeInternal: true,
    excludeExternals: true,
    sort: ['source-order'],
    logLevel: 'Error',
  })
  const project = await app.convert()
  if (!project) throw new Error(`TypeDoc could not read packages/${name}.`)
  // TypeDoc calls the modules `packages/core/src` and `packages/core/src/gpu`; one alone is the project itself.
  const found = new Map(
    (project.children ?? []).map((module) => [module.name.replace(/^.*\/src\/?/, '') || 'index', module.children ?? []]),
  )
  const seen = new Map<string, Entry>()
  for (const entry of entries[name]) {
    const children = entries[name].length === 1 ? project.children : found.get(entry.replace(/\/index$/, ''))
    if (!children) throw new Error(`TypeDoc found no module for ${entry} of packages/${name}; it has ${[...found.keys()].join(', ')}.`)
    for (const child of children) {
      const reflection =
        child instanceof ReferenceReflection ? (child.tryGetTargetReflectionDeep() as DeclarationReflection | undefined) : child
      const source = reflection?.sources?.[0] ?? reflection?.signatures?.[0]?.sources?.[0]
      if (!reflection || !source) continue
      const file = source.fullFileName.startsWith(top) ? posix.relative(top, source.fullFileName) : source.fileName
      if (!seen.has(child.name))
        seen.set(child.name, {
          name: child.name,
          module: moduleOf(name, entry),
          reflection,
          file,
          line: source.line,
          family: familyOf(file),
        })
    }
  }
  return [...seen.values()]
}

/** Types come after what a program calls. */
const isType = ({ reflection: { kind } }: Entry): boolean => kind === ReflectionKind.Interface || kind === ReflectionKind.TypeAlias
const isNamespace = ({ kind }: Reflection): boolean => kind === ReflectionKind.Namespace || kind === ReflectionKind.Module

/** Writes comments and signatures as Markdown. */
class Writer {
  /** The address of a name's part of a page. */
  constructor(private readonly addresses: ReadonlyMap<string, string>) {}

  /** Text with links: {@link …}, and every `name` in code that has a part of its own. */
  text(parts: readonly CommentDisplayPart[] = [], own?: string): string {
    return parts
      .map((part) => {
        if (part.kind === 'inline-tag') return this.#linked(part.text, part.text)
        if (part.kind === 'code' && /^`[\w.]+`$/.test(part.text) && part.text !== `\`${own}\``)
          return this.#linked(part.text.slice(1, -1), part.text)
        return part.text
      })
      .join('')
  }

  #linked(name: string, text: string): string {
    const address = this.addresses.get(name)
    return address ? `[${text}](/${address})` : text
  }

  /** The comment: its text, then Shape, Gradient, Cost and the like as a list, what it throws, and its examples. */
  comment(comment: Comment | undefined, own: string, module: string): string {
    if (!comment) return ''
    const text = this.text(comment.summary, own)
    // A fact begins with its name at a line's start, or after the full stop of another fact.
    const labels = 'Shape|Gradient|Tangent|Cost|Memory|Units|Range|Source'
    const facts: string[] = []
    const prose = text.replace(
      new RegExp(`^(${labels}):\\s+([\\s\\S]*?)(?=\\n(?:${labels}):|\\n\\n|$(?![\\s\\S]))`, 'gm'),
      (_, label: string, fact: string) => {
        const [first, ...rest] = fact.split(new RegExp(`(?<=[.)\\]])\\s+(?=(?:${labels}):)`))
        facts.push(
          `- **${label}**: ${first.replace(/\s*\n\s*/g, ' ')}`,
          ...rest.map((each) => `- ${each.replace(/^(\w+):/, '**$1**:').replace(/\s*\n\s*/g, ' ')}`),
        )
        return ''
      },
    )
    const parameters = comment.blockTags.filter(
      ({ tag }) => tag === '@param' || tag === '@returns' || tag === '@throws' || tag === '@defaultValue',
    )
    for (const { tag, name, content } of parameters) {
      const label = { '@returns': 'Returns', '@throws': 'Throws', '@defaultValue': 'Default' }[tag as string] ?? `\`${name}\``
      facts.push(`- **${label}**: ${this.text(content).replace(/\s*\n\s*/g, ' ')}`)
    }
    const examples = comment.blockTags
      .filter(({ tag }) => tag === '@example')
      .map(({ content }) => this.#example(this.text(content), module))
    return [prose.trim(), facts.join('\n'), ...examples].filter(Boolean).join('\n\n')
  }

  /** An example gets the imports that it takes as known, and runs at a click where the page can run it. */
  #example(content: string, module: string): string {
    return content.replace(/```ts\n([\s\S]*?)```/g, (_, code: string) => {
      const runs = !/\/node$/.test(module) && !/import .* from '(?!@cotangent\/(core|layers)')/.test(code)
      return `\`\`\`ts${runs ? ' example' : ''}\n${code}\`\`\``
    })
  }

  signature(signature: SignatureReflection, name: string): string {
    const generics = signature.typeParameters
      ?.map((each) => `${each.name}${each.type ? ` extends ${each.type.toString()}` : ''}`)
      .join(', ')
    const parameters = signature.parameters?.map(
      (each) =>
        `${each.flags.isRest ? '...' : ''}${each.name}${each.flags.isOptional || each.defaultValue ? '?' : ''}: ${each.type?.toString() ?? 'unknown'}`,
    )
    return `${name}${generics ? `<${generics}>` : ''}(${parameters?.join(', ') ?? ''}): ${signature.type?.toString() ?? 'void'}`
  }
}

/** The signatures of a function, or of a constant whose type is a function's, such as an op. */
function signaturesOf(reflection: DeclarationReflection): readonly SignatureReflection[] {
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

function write({ name, module, reflection, file, line }: Entry, writer: Writer, names: string[], level = '##'): string {
  const parts: string[] = []
  const signatures = signaturesOf(reflection)
  const code = (text: string): string => `\`\`\`ts\n${text}\n\`\`\``
  const ofOwn = (reflection.children ?? []).filter((child) => !child.inheritedFrom && !child.overwrites && child.name !== 'constructor')
  parts.push(`${level} ${name}`)
  names.push(name)
  parts.push(
    `<p class="from"><code>import { ${name.split('.')[0]} } from '${module}'</code> <a href="/source.html#${file}:${line}">source</a></p>`,
  )

  if (signatures.length > 0) parts.push(code(signatures.map((each) => writer.signature(each, name.split('.').at(-1) as string)).join('\n')))
  else if (reflection.kind === ReflectionKind.Class) {
    const [constructor] = reflection.children?.find(({ kind }) => kind === ReflectionKind.Constructor)?.signatures ?? []
    const base = reflection.extendedTypes?.[0]?.toString()
    parts.push(
      code(
        `class ${name}${base ? ` extends ${base}` : ''}${constructor ? `\n${writer.signature(constructor, `new ${name}`).replace(/\): .*$/, ')')}` : ''}`,
      ),
    )
  } else if (reflection.type && !isNamespace(reflection)) {
    const alias = reflection.kind === ReflectionKind.TypeAlias
    parts.push(code(`${alias ? 'type' : 'const'} ${name}${alias ? ' =' : ':'} ${reflection.type.toString()}`))
  }

  const rule = registry.get(name)?.rule
  const comment = reflection.comment ?? signatures.find((each) => each.comment)?.comment
  const text = writer.comment(comment, name, module)
  parts.push(rule && !/\*\*Gradient\*\*/.test(text) ? `${text}\n\n- **Gradient**: ${rule}` : text)

  if (isNamespace(reflection)) {
    for (const child of reflection.children ?? [])
      parts.push(
        write(
          {
            name: `${name}.${child.name}`,
            module,
            reflection: child,
            file,
            line: child.sources?.[0]?.line ?? line,
            family: familyOf(file),
          },
          writer,
          names,
          '###',
        ),
      )
  } else if (ofOwn.length > 0) {
    const rows = ofOwn.map((child) => {
      const [signature] = child.signatures ?? []
      const getter = child.getSignature
      const type = signature ? writer.signature(signature, child.name).slice(child.name.length) : (child.type ?? getter?.type)?.toString()
      const said = writer.comment(child.comment ?? signature?.comment ?? getter?.comment, name, module).replace(/```ts example/g, '```ts')
      const optional = child.flags.isOptional ? '?' : ''
      return `- <code class="member">${child.name}${optional}${signature ? '' : ': '}${(type ?? '').replace(/&/g, '&amp;').replace(/</g, '&lt;')}</code>${said ? `\n\n  ${said.replaceAll('\n', '\n  ')}` : ''}`
    })
    parts.push(
      `<details${rows.length <= 12 ? ' open' : ''}><summary>${rows.length} ${rows.length === 1 ? 'member' : 'members'}</summary>\n\n${rows.join('\n')}\n\n</details>`,
    )
  }
  return parts.filter(Boolean).join('\n\n')
}

/** Exported, but marked @internal: other packages of this repository use them. */
const INTERNAL = new Set(['foldWindows', 'identityMask', 'unfoldWindows', 'viewOf'])

/** The names in packages/*\/api.txt. */
const reviewedNames = (): string[] =>
  Object.keys(entries).flatMap((name) =>
    Array.from(readFileSync(join(top, `packages/${name}/api.txt`), 'utf8').matchAll(/^\w+ (\w+)/gm), ([, found]) => found),
  )

/** Everything that the pages are made of: the sources of the packages, the reviewed names, the compiler's settings, and what makes the pages. */
function* madeOf(): Generator<string> {
  for (const name of Object.keys(entries)) {
    for (const path of ['api.txt', 'tsconfig.json']) yield readFileSync(join(top, 'packages', name, path), 'utf8')
    const src = join(top, 'packages', name, 'src')
    for (const path of (readdirSync(src, { recursive: true }) as string[]).sort())
      if (path.endsWith('.ts') && !/\.test(-d)?\.ts$/.test(path)) yield path + readFileSync(join(src, path), 'utf8')
  }
  for (const path of ['docs/site/build/reference.ts', 'docs/site/build/families.ts', 'docs/package-lock.json', 'tsconfig.base.json'])
    yield readFileSync(join(top, path), 'utf8')
}

/** All pages of the reference, and the page that lists all names. TypeDoc takes ten seconds, so pages of sources that did not change come from the build before. */
export async function referencePages(): Promise<ReferencePage[]> {
  const of = hash(madeOf())
  const before = kept<ReferencePage[]>('reference', of)
  if (before) return before
  const made = await makePages()
  keep('reference', of, made)
  return made
}

async function makePages(): Promise<ReferencePage[]> {
  const all: Entry[] = []
  for (const name of Object.keys(entries) as (keyof typeof entries)[]) all.push(...(await read(name)))

  const pageOf = (family: Family): string => `reference/${family.id}.html`
  const addresses = new Map<string, string>()
  for (const { name, family } of all) addresses.set(name, `${pageOf(family)}#${name}`)
  const writer = new Writer(addresses)

  const pages = families.flatMap((family): ReferencePage[] => {
    const own = all
      .filter((entry) => entry.family === family)
      .sort((a, b) => Number(isType(a)) - Number(isType(b)) || a.file.localeCompare(b.file) || a.line - b.line)
    if (own.length === 0) return []
    const names: string[] = []
    const body = own.map((entry) => write(entry, writer, names)).join('\n\n')
    return [{ url: pageOf(family), title: family.title, names, markdown: `# ${family.title}\n\n${family.text}\n\n${body}\n` }]
  })
  const missing = reviewedNames().filter((name) => !addresses.has(name) && !INTERNAL.has(name))
  if (missing.length > 0) throw new Error(`Names without a place in the reference: ${missing.join(', ')}`)
  const list = pages.map(({ url, title, names }) => {
    const links = names.filter((name) => !name.includes('.')).map((name) => `[\`${name}\`](/${url}#${name})`)
    return `## ${title}\n\n[The page](/${url}) of ${links.length} names: ${links.join(' · ')}`
  })
  const index = `# Reference\n\nEvery public name, by what it is for. The search in the header finds a name by its first letters.\n\n${list.join('\n\n')}\n`
  return [{ url: 'reference/index.html', title: 'Reference', names: [], markdown: index }, ...pages]
}
