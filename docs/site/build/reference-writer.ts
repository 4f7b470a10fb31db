/** Writes comments, signatures and options as Markdown. */
import type { Comment, CommentDisplayPart, DeclarationReflection, SignatureReflection } from 'typedoc'
import { defaultIn, meaningOfWeight, type Options } from './reference-options.js'
import { type Address, shortType, typeHtml } from './reference-types.js'

/** The options of every layer. */
const SHARED = 'LayerOptions'

/** Writes comments and signatures as Markdown. */
export class Writer {
  /** @param ofLayers the names of the options that every layer takes */
  constructor(
    readonly address: Address,
    private readonly ofLayers: ReadonlySet<string>,
  ) {}

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
    const address = this.address(name)
    return address ? `[${text}](/${address})` : text
  }

  /** Comments as one: their texts, then Shape, Gradient, Cost and the like as a list, what is thrown, and the examples. */
  comment(comments: readonly (Comment | undefined)[], own: string, module: string): string {
    const text = comments.map((each) => this.text(each?.summary, own)).join('\n\n')
    const tags = comments.flatMap((each) => each?.blockTags ?? [])
    // A fact begins with its name at a line's start, or after the full stop of another fact.
    const labels = 'Shape|Weights|Gradient|Tangent|Cost|Memory|Units|Range|Source'
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
    const parameters = tags.filter(({ tag }) => tag === '@param' || tag === '@returns' || tag === '@throws' || tag === '@defaultValue')
    for (const { tag, name, content } of parameters) {
      const label = { '@returns': 'Returns', '@throws': 'Throws', '@defaultValue': 'Default' }[tag as string] ?? `\`${name}\``
      facts.push(`- **${label}**: ${this.text(content).replace(/\s*\n\s*/g, ' ')}`)
    }
    const examples = tags.filter(({ tag }) => tag === '@example').map(({ content }) => this.#example(this.text(content), module))
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
        `${each.flags.isRest ? '...' : ''}${each.name === '__namedParameters' ? 'options' : each.name}${each.flags.isOptional || each.defaultValue ? '?' : ''}: ${each.type?.toString() ?? 'unknown'}`,
    )
    return `${name}${generics ? `<${generics}>` : ''}(${parameters?.join(', ') ?? ''}): ${signature.type?.toString() ?? 'void'}`
  }

  /** A table of options. Those that every layer takes are named, with a link to their meaning. */
  options({ members }: Options, of: string, known: Readonly<Record<string, string>>): string {
    const from = ({ inheritedFrom }: DeclarationReflection): string => inheritedFrom?.name.split('.')[0] ?? ''
    const inherited = members.filter((each) => from(each) !== '' && this.ofLayers.has(each.name))
    // Layers that use all of them have `trainable`; models and others share single names.
    const shared = of !== SHARED && members.some(({ name }) => name === 'trainable') ? inherited : []
    // A spelled-out type has each name in Keras' spelling, too.
    const rows = members
      .filter((each) => !shared.includes(each) && !each.name.includes('_'))
      .sort((a, b) => Number(from(a) !== '') - Number(from(b) !== ''))
    const cell = (text: string): string => text.replace(/\s*\n\s*/g, ' ').replace(/\\?\|/g, '\\|')
    const lines = rows.map((each) => {
      const comment = each.comment ?? each.signatures?.[0]?.comment
      const type = each.signatures ? this.signature(each.signatures[0], '') : (each.type?.toString() ?? 'unknown')
      const none = /(Regularizer|Constraint)$/.test(each.name) ? 'none' : '–'
      const usual = !each.flags.isOptional ? 'required' : (defaultIn(comment) ?? known[each.name] ?? none)
      const meaning = this.text(comment?.summary) || meaningOfWeight(each.name) || '–'
      return `| \`${each.name}\` | <code>${typeHtml(shortType(type), this.address)}</code> | ${cell(usual)} | ${cell(meaning)} |`
    })
    const table = lines.length > 0 ? `| Option | Type | Default | Meaning |\n|---|---|---|---|\n${lines.join('\n')}` : ''
    const others = shared.map(({ name }) => `[\`${name}\`](/${this.address(SHARED)})`).join(', ')
    const line = others && `${table ? 'And the options' : 'The options'} of every layer: ${others}.`
    return `<div class="options">\n\n${[table, line].filter(Boolean).join('\n\n')}\n\n</div>`
  }
}
