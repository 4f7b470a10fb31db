/** Makes a whole program of an example: the comments take the library's names as known, and say behind `//` what a line gives. */
import names from 'site:names'

/** A line that is an expression with its value behind it, as `tanh(x) // [0, 0.76]`. */
const VALUE =
  /^(?!(?:const|let|var|for|if|while|return|import|export|throw|class|function|type|interface|console)\b)(\S.*?[)\]\w])(\s+\/\/\s.*)$/gm

export function importsFor(code: string): string {
  const known = new Set(
    Array.from(code.matchAll(/^import\s+(?:type\s+)?\{([^}]*)\}/gm)).flatMap(([, list]) => list.split(',').map((name) => name.trim())),
  )
  const declared = new Set(
    Array.from(code.matchAll(/\b(?:const|let|class|function)\s+(?:\{([^}]*)\}|\[([^\]]*)\]|([\w$]+))/g)).flatMap(([, ...found]) =>
      found.join(',').split(/[,:\s]+/),
    ),
  )
  const bare = code.replace(/\/\/.*$/gm, '').replace(/'[^'\n]*'|`[^`]*`|"[^"\n]*"/g, '')
  const used = new Set(Array.from(bare.matchAll(/(?<![.\w$])([A-Za-z_$][\w$]*)\b(?!\s*:)/g), ([, name]) => name))
  const imports = Object.entries(names as Record<string, string[]>).flatMap(([module, all]) => {
    const wanted = all.filter((name) => used.has(name) && !known.has(name) && !declared.has(name))
    for (const name of wanted) known.add(name)
    return wanted.length > 0 ? [`import { ${wanted.join(', ')} } from '${module}'`] : []
  })
  const printed = code.replace(VALUE, 'console.log(String($1))$2')
  return [...imports, imports.length > 0 ? '' : undefined, printed.trimEnd()].filter((line) => line !== undefined).join('\n')
}
