/** One part of a page of the reference: a function, class, type or namespace. */
import { registry } from '@cotangent/core'
import * as layers from '@cotangent/layers'
import { type DeclarationReflection, ReflectionKind } from 'typedoc'
import { defaultsOf } from './reference-options.js'
import { constructorOf, isNamespace, signaturesOf, type Thing, thingsIn } from './reference-things.js'
import { typeHtml } from './reference-types.js'
import type { Writer } from './reference-writer.js'

/** A block of code whose types are links. */
const code = (text: string): string => `\`\`\`ts signature\n${text}\n\`\`\``

function classCode(name: string, reflection: DeclarationReflection, writer: Writer): string {
  const made = constructorOf(reflection)
  const base = reflection.extendedTypes?.[0]?.toString()
  return `class ${name}${base ? ` extends ${base}` : ''}${made ? `\n${writer.signature(made, `new ${name}`).replace(/\): .*$/, ')')}` : ''}`
}

function signatureOf({ name, reflection, made }: Thing, writer: Writer): string {
  const signatures = signaturesOf(reflection).map((each) => writer.signature(each, name.split('.').at(-1) as string))
  if (signatures.length > 0) return code([...signatures, ...(made ? [classCode(made.name, made.reflection, writer)] : [])].join('\n'))
  if (reflection.kind === ReflectionKind.Class) return code(classCode(name, reflection, writer))
  if (!reflection.type || isNamespace(reflection)) return ''
  const alias = reflection.kind === ReflectionKind.TypeAlias
  return code(`${alias ? 'type' : 'const'} ${name}${alias ? ' =' : ':'} ${reflection.type.toString()}`)
}

/** The properties and methods of a class or interface. Those of a class that a function makes are folded: the options say the same. */
function membersOf({ name, module, reflection, made }: Thing, writer: Writer): string {
  const { children = [] } = made?.reflection ?? reflection
  const own = children.filter((child) => !child.inheritedFrom && !child.overwrites && child.name !== 'constructor')
  if (own.length === 0) return ''
  const rows = own.map((child) => {
    const [signature] = child.signatures ?? []
    const getter = child.getSignature
    const type = signature ? writer.signature(signature, child.name).slice(child.name.length) : (child.type ?? getter?.type)?.toString()
    const said = writer.comment([child.comment ?? signature?.comment ?? getter?.comment], name, module).replace(/```ts example/g, '```ts')
    const optional = child.flags.isOptional ? '?' : ''
    return `- <code class="member">${child.name}${optional}${signature ? '' : ': '}${typeHtml(type ?? '', writer.address)}</code>${said ? `\n\n  ${said.replaceAll('\n', '\n  ')}` : ''}`
  })
  const title = `${rows.length} ${rows.length === 1 ? 'member' : 'members'}${made ? ` of ${made.name}` : ''}`
  return `<details${!made && rows.length <= 12 ? ' open' : ''}><summary>${title}</summary>\n\n${rows.join('\n')}\n\n</details>`
}

function optionsOf({ name, module, reflection, made, own, options }: Thing, writer: Writer): string {
  if (!options) return ''
  const make = module === '@cotangent/layers' ? (layers as Readonly<Record<string, unknown>>)[name] : undefined
  const table = writer.options(options, name, made ? defaultsOf(make, signaturesOf(reflection)[0]) : {})
  if (!own) return table
  return `<span class="also" id="${own.name}"></span>${writer.comment([options.comment], name, module)}\n\n${table}`
}

/** @param names the names of headings, to which those of this part are added */
export function write(thing: Thing, writer: Writer, names: string[], level = '##'): string {
  const { name, of, module, reflection, file, line, made } = thing
  names.push(name)
  const imported = [name.split('.')[0], ...(made ? [made.name] : [])].join(', ')
  const also = made ? `<span class="also" id="${made.name}"></span>` : ''
  const signatures = signaturesOf(reflection)
  const comment = reflection.comment ?? signatures.find((each) => each.comment)?.comment
  const text = writer.comment([comment, made?.reflection.comment], name, module)
  // A layer may have the name of an op.
  const rule = of === 'core' ? registry.get(name)?.rule : undefined
  return [
    `${level} ${name}`,
    `<p class="from">${also}<code>import { ${imported} } from '${module}'</code> <a href="/source.html#${file}:${line}">source</a></p>`,
    signatureOf(thing, writer),
    rule && !/\*\*Gradient\*\*/.test(text) ? `${text}\n\n- **Gradient**: ${rule}` : text,
    optionsOf(thing, writer),
    ...(isNamespace(reflection) ? thingsIn(thing).map((each) => write(each, writer, names, '###')) : []),
    isNamespace(reflection) || thing.options?.name === name ? '' : membersOf(thing, writer),
  ]
    .filter(Boolean)
    .join('\n\n')
}
