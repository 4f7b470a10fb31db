/** The public names of the packages, as TypeDoc reads them from the sources. */
import { join, posix } from 'node:path'
import { Application, type DeclarationReflection, ReferenceReflection } from 'typedoc'
import { type Family, familyOf } from './families.js'
import { top } from './places.js'

/** The source files of what programs import from, by package; the first is the package itself. */
export const entries = { core: ['index', 'gpu', 'kernels'], layers: ['index', 'node/index', 'report/index'], datasets: ['index'] } as const

/** The entry that a program imports a name from. */
const moduleOf = (name: string, entry: string): string => `@cotangent/${name}/${entry.replace(/(^|\/)index$/, '')}`.replace(/\/$/, '')

/** A public name. */
export interface Entry {
  readonly name: string
  /** The package that it belongs to. */
  readonly of: string
  readonly module: string
  readonly reflection: DeclarationReflection
  readonly file: string
  readonly line: number
  readonly family: Family
}

/** The public names of a package. */
export async function read(name: keyof typeof entries): Promise<Entry[]> {
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
          of: name,
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
