// How the source is laid out and written.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const CORE = join(ROOT, 'packages/core/src')
const PACKAGES = readdirSync(join(ROOT, 'packages')).filter((name) => existsSync(join(ROOT, 'packages', name, 'src')))

function filesOf(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name))
}

const text = (file: string): string => readFileSync(file, 'utf8')
const shown = (file: string): string => relative(ROOT, file)

/** The code alone: comments go, and what is inside quotes. */
function codeOf(source: string): string {
  return source.replaceAll(
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*(?=[.,;)\s])/g,
    (found) => (found.startsWith('/*') || found.startsWith('//') ? '' : "''"),
  )
}

/** What a file imports or passes on, comments aside. */
function importsOf(file: string): readonly string[] {
  const code = text(file).replaceAll(/\/\*[\s\S]*?\*\//g, '')
  return [
    ...code.matchAll(
      /(?:^|\n)\s*(?:import|export)\b[^'"\n;]*?(?:\{[^}]*\}[^'"\n;]*)?from\s*'([^']+)'|(?:^|\n)\s*import\s*'([^']+)'|\bimport\(\s*'([^']+)'/g,
    ),
  ].map(([, a, b, c]) => (a ?? b ?? c) as string)
}

const allFiles = PACKAGES.flatMap((name) => filesOf(join(ROOT, 'packages', name, 'src')))

describe('imports of core point one way', () => {
  // The layer of a file: its folder, or for a file at the top its own name.
  const layerOf = (file: string): string => {
    const [first = ''] = relative(CORE, file).split(sep)
    return first.replace(/\.ts$/, '')
  }
  const MAY: Readonly<Record<string, readonly string[]>> = {
    errors: [],
    secret: [],
    sweepable: ['errors'],
    clock: [],
    'read-options': ['errors'],
    crypto: ['errors', 'clock'],
    format: ['errors', 'read-options', 'crypto'],
    field: ['errors', 'read-options', 'crypto', 'format'],
    keys: ['errors', 'clock', 'crypto', 'format', 'field'],
    epochs: ['errors', 'clock', 'crypto', 'format', 'keys'],
    vault: ['errors', 'read-options', 'sweepable', 'clock', 'crypto', 'format', 'field', 'keys', 'epochs'],
    resource: ['errors'],
    durations: [],
    deadline: ['errors'],
    index: [
      'errors',
      'read-options',
      'secret',
      'sweepable',
      'clock',
      'crypto',
      'format',
      'field',
      'keys',
      'epochs',
      'vault',
      'resource',
      'durations',
      'deadline',
    ],
    testing: ['errors', 'secret', 'clock', 'crypto', 'format', 'field', 'keys', 'vault'],
  }

  test.each(filesOf(CORE).map((file) => [shown(file), file]))('%s', (_, file) => {
    const layer = layerOf(file)
    const may = MAY[layer]
    if (may === undefined) throw new Error(`${layer} is a layer that this test does not know: say above what it may import`)
    const wrong = importsOf(file)
      .filter((path) => path.startsWith('.'))
      .filter((path) => {
        const other = layerOf(join(dirname(file), path))
        return other !== layer && !may.includes(other)
      })
    expect(wrong).toEqual([])
  })

  test('crypto chooses its backend by #backend, and nobody else does', () => {
    const using = filesOf(CORE).filter((file) => importsOf(file).includes('#backend'))
    expect(new Set(using.map(layerOf))).toEqual(new Set(['crypto']))
    const direct = filesOf(CORE).filter((file) => importsOf(file).some((path) => /backend\/(node|portable)/.test(path)))
    expect(direct.filter((file) => layerOf(file) !== 'testing').map(shown)).toEqual([])
  })

  test('no cycle', () => {
    const graph = new Map(
      filesOf(CORE).map((file) => {
        // Types make no cycle: nothing of them is left when it runs.
        const code = text(file).replaceAll(/(?:^|\n)(?:import|export) type [^']*'[^']*'/g, '')
        const names = [...code.matchAll(/from\s*'(\.[^']+)'/g)].map(([, path]) => join(dirname(file), path as string))
        return [file, names] as const
      }),
    )
    const done = new Set<string>()
    const cycles: string[] = []
    const visit = (file: string, above: readonly string[]): void => {
      if (above.includes(file)) cycles.push([...above.slice(above.indexOf(file)), file].map(shown).join(' → '))
      else if (!done.has(file)) {
        for (const next of graph.get(file) ?? []) visit(next, [...above, file])
        done.add(file)
      }
    }
    for (const file of graph.keys()) visit(file, [])
    expect(cycles).toEqual([])
  })
})

describe('what is imported from outside', () => {
  const outside = (file: string): readonly string[] => importsOf(file).filter((path) => !path.startsWith('.') && !path.startsWith('#'))

  test('of core: Node only in its backend for Node and in what is for tests, @noble only in the other backend', () => {
    for (const file of filesOf(CORE)) {
      const place = relative(CORE, file)
      if (place.startsWith(`testing${sep}`)) continue
      const allowed =
        place === join('crypto', 'backend', 'node.ts')
          ? /^node:crypto$/
          : place === join('crypto', 'backend', 'portable.ts')
            ? /^@noble\//
            : /^zod$/
      expect([place, outside(file).filter((path) => !allowed.test(path))]).toEqual([place, []])
    }
  })

  test('of the command: the packages by their roots, and nobody imports it', () => {
    const ours = (file: string): readonly string[] => outside(file).filter((path) => path.startsWith('@strongroom/'))
    const roots = ['@strongroom/core', '@strongroom/erasure', '@strongroom/kms-local', '@strongroom/pseudonyms', '@strongroom/store-local']
    for (const file of filesOf(join(ROOT, 'packages/cli/src')))
      expect([shown(file), ours(file).filter((path) => !roots.includes(path))]).toEqual([shown(file), []])
    const elsewhere = allFiles.filter((file) => !file.startsWith(join(ROOT, 'packages/cli')))
    expect(elsewhere.filter((file) => ours(file).includes('@strongroom/cli')).map(shown)).toEqual([])
  })

  test('of the other packages: core by its root only', () => {
    for (const name of PACKAGES.filter((each) => each !== 'core')) {
      for (const file of filesOf(join(ROOT, 'packages', name, 'src'))) {
        const inTesting = relative(join(ROOT, 'packages', name, 'src'), file).startsWith('testing')
        const ofCore = outside(file).filter((path) => path.startsWith('@strongroom/core'))
        expect([
          shown(file),
          ofCore.filter((path) => path !== '@strongroom/core' && !(inTesting && path === '@strongroom/core/testing')),
        ]).toEqual([shown(file), []])
        expect(
          importsOf(file).filter(
            (path) => path.startsWith('.') && !join(dirname(file), path).startsWith(join(ROOT, 'packages', name, 'src')),
          ),
        ).toEqual([])
      }
    }
  })

  test('what is imported is declared', () => {
    for (const name of PACKAGES) {
      const manifest = JSON.parse(text(join(ROOT, 'packages', name, 'package.json'))) as {
        dependencies?: object
        peerDependencies?: object
        name: string
      }
      const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })
      for (const file of filesOf(join(ROOT, 'packages', name, 'src'))) {
        const needed = outside(file)
          .filter((path) => !path.startsWith('node:'))
          .map((path) =>
            path
              .split('/')
              .slice(0, path.startsWith('@') ? 2 : 1)
              .join('/'),
          )
        expect([shown(file), needed.filter((path) => !declared.includes(path))]).toEqual([shown(file), []])
      }
    }
  })
})

describe('what no source file holds', () => {
  const FORBIDDEN: readonly [string, RegExp][] = [
    ['export *', /\bexport\s+\*/],
    ['a default export', /\bexport\s+default\b|\bas\s+default\b/],
    ['any', /(?:[:<|&,(]|\bas|=>|\bextends)\s*any\b|\bany\s*(?:\[\]|>)/],
    ['console', /\bconsole\s*\./],
    ['Math.random', /\bMath\s*\.\s*random\b/],
    ['process.env', /\bprocess\s*\.\s*env\b/],
    ['eval', /\beval\s*\(|\bnew\s+Function\s*\(/],
    ['an enum or a namespace', /(?:^|\n)\s*(?:export\s+)?(?:declare\s+)?(?:const\s+)?(?:enum|namespace)\s+\w/],
    ['a parameter property', /constructor\s*\(\s*(?:private|public|protected|readonly)\s/],
    ['private by word only', /(?:^|\n)\s+private\s+(?!constructor)/],
    ['@ts-ignore', /@ts-(?:ignore|nocheck)/],
    ['a debugger', /\bdebugger\b/],
  ]

  // A command has to be told of its terminal and of variables that a configuration names: by one file of it.
  const ALLOWED: Readonly<Record<string, readonly string[]>> = { 'process.env': [join('packages', 'cli', 'src', 'system.ts')] }

  test.each(FORBIDDEN)('%s', (name, pattern) => {
    const found = allFiles.filter((file) => pattern.test(name === '@ts-ignore' ? text(file) : codeOf(text(file))))
    expect(found.map(shown)).toEqual(ALLOWED[name] ?? [])
  })

  test('the patterns find what they are for', () => {
    const examples = [
      'export * from "x"',
      'export default 1',
      'let x: any',
      'console.log(1)',
      'Math.random()',
      'process.env.X',
      'eval("1")',
      'enum A {}',
      'constructor(private x: number) {}',
      '\n  private x = 1',
      '// @ts-ignore',
      'debugger',
    ]
    expect(FORBIDDEN.map(([, pattern], i) => pattern.test(examples[i] as string))).toEqual(FORBIDDEN.map(() => true))
    expect(codeOf('a /* console.log */ b // any\n c "console.log" \'x: any\'').replaceAll(/\s/g, '')).toBe("abc''''")
  })

  test('slice of bytes: of a Buffer it is a view', () => {
    const found = allFiles
      .filter(
        (file) => file.startsWith(join(CORE, 'crypto')) || file.startsWith(join(CORE, 'format')) || file.startsWith(join(CORE, 'keys')),
      )
      .filter((file) => /(?:bytes|secret|key|hash|wrap|value|stored)\.slice\(/i.test(codeOf(text(file))))
    expect(found.map(shown)).toEqual([])
  })
})

describe('index.ts of core', () => {
  const index = text(join(CORE, 'index.ts'))
  const exported = [...index.matchAll(/export (type )?\{([^}]+)\} from '([^']+)'/g)].flatMap(([, , names, path]) =>
    (names as string)
      .split(',')
      .map(
        (name) =>
          name
            .trim()
            .replace(/^type /, '')
            .split(' as ')[0] as string,
      )
      .filter((name) => name !== '')
      .map((name) => [name, path as string] as const),
  )

  test('is a list of named exports and nothing else', () => {
    const rest = codeOf(index)
      .replaceAll(/export (type )?\{[^}]+\} from ''/g, '')
      .trim()
    expect(rest).toBe('')
    expect(exported.length).toBeGreaterThan(40)
  })

  test.each(exported)('%s says what it is', (name, path) => {
    const source = text(join(CORE, path))
    const declared = [
      ...source.matchAll(
        new RegExp(`(\\*/\\n)?export (?:declare )?(?:abstract )?(?:interface|type|class|const|(?:async )?function\\*?) ${name}\\b`, 'g'),
      ),
    ]
    expect(declared.length).toBeGreaterThan(0)
    expect(declared.some(([, documented]) => documented !== undefined)).toBe(true)
  })

  test('what was shown above is what it exports when it runs', async () => {
    const running = Object.keys(await import('@strongroom/core'))
    const listed = new Set(exported.map(([name]) => name))
    const renamed = new Map([...index.matchAll(/(\w+) as (\w+)/g)].map(([, from, to]) => [to, from]))
    expect(running.filter((name) => !listed.has(renamed.get(name) ?? name))).toEqual([])
  })
})

describe('examples and types compile', () => {
  // Inside node_modules, so that nothing else takes it for source, and beneath the workspace, so that packages are found by name.
  const FOLDER = join(ROOT, 'packages/core/node_modules/.cache/strongroom-examples')
  const OPTIONS = {
    extends: join(ROOT, 'tsconfig.base.json'),
    compilerOptions: {
      composite: false,
      declaration: false,
      declarationMap: false,
      sourceMap: false,
      isolatedDeclarations: false,
      noEmit: true,
      noUnusedLocals: false,
      noUnusedParameters: false,
      types: ['node'],
      lib: ['ES2024', 'ESNext.Disposable'],
      allowImportingTsExtensions: true,
    },
  }

  function compile(folder: string): string {
    try {
      execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', folder, '--pretty', 'false'], {
        encoding: 'utf8',
        stdio: 'pipe',
      })
      return ''
    } catch (error) {
      return String((error as { stdout?: unknown }).stdout)
    }
  }

  function prepared(name: string): string {
    const folder = join(FOLDER, name)
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ ...OPTIONS, include: ['*.ts'] }))
    return folder
  }

  // What examples take from files of their reader.
  const READERS = `import type { KeyProvider, KeyStore, StateStore } from '@strongroom/core'
export declare function openMyStore(): Promise<{ readonly store: KeyStore & StateStore; close(): Promise<void> }>
export declare function openMyProvider(): Promise<never>
`

  interface Example {
    readonly from: string
    readonly source: string
  }

  const examples: readonly Example[] = allFiles.flatMap((file) =>
    [...text(file).matchAll(/\/\*\*[\s\S]*?\*\//g)]
      .map(([comment]) =>
        comment
          .split('\n')
          .map((line) => line.replace(/^\s*\* ?/, ''))
          .join('\n'),
      )
      .filter((comment) => comment.includes('@example'))
      .flatMap((comment) =>
        [...comment.slice(comment.indexOf('@example')).matchAll(/```ts\n([\s\S]*?)```/g)].map(([, source], i) => ({
          from: `${shown(file)} ${i}`,
          source: source as string,
        })),
      ),
  )

  test('every @example of every package compiles as it stands', () => {
    const folder = prepared('examples')
    writeFileSync(join(folder, 'my-store.ts'), READERS)
    for (const [i, { source }] of examples.entries()) writeFileSync(join(folder, `example-${i}.ts`), `${source}\nexport {}\n`)
    const problems = compile(folder)
      .split('\n')
      .filter((line) => line.includes('error'))
      .map((line) => line.replace(/^.*?example-(\d+)\.ts/, (_, i: string) => examples[Number(i)]?.from ?? ''))
      // Files of the reader other than a store are theirs to have.
      .filter((line) => !/Cannot find module '\.\/(?!my-store)/.test(line))
    expect(problems).toEqual([])
    expect(examples.length).toBeGreaterThan(10)
    // Not by compiling nothing.
    writeFileSync(join(folder, 'wrong.ts'), `import { openVault } from '@strongroom/core'\nawait openVault(5)\n`)
    expect(compile(folder)).toContain('wrong.ts')
  })

  // What the pages take from the reader's own program.
  const AROUND = `import type { Subject, Vault } from '@strongroom/core'
declare global {
  const vault: Vault
  const alice: Subject
  const rows: readonly Uint8Array[]
  const reference: string
  const backup: string
  const dataBackupStartedAt: number
}
`
  const PAGES = [
    'README.md',
    ...['core', 'kms-local', 'store-local', 'mongo-adapter', 'credentials', 'erasure', 'cli'].map((name) => `packages/${name}/README.md`),
    'packages/mongo-adapter/docs/mongoose.md',
  ]

  test('the TypeScript of README and documents compiles as it stands', () => {
    const folder = prepared('pages')
    writeFileSync(join(folder, 'around.d.ts'), AROUND)
    writeFileSync(
      join(folder, 'my-store.ts'),
      `import type { KeyStore } from '@strongroom/core'\nexport declare function myKeyStore(): KeyStore\n`,
    )
    const docs = readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`)
    const files = [...PAGES, ...docs].map((page) => join(ROOT, page))
    const blocks = files.flatMap((file) => [...text(file).matchAll(/```ts\n([\s\S]*?)```/g)].map(([, source]) => ({ file, source })))
    for (const [i, { source }] of blocks.entries()) writeFileSync(join(folder, `block-${i}.ts`), `${source}\nexport {}\n`)
    const problems = compile(folder)
      .split('\n')
      .filter((line) => line.includes('error'))
      .map((line) => line.replace(/^.*?block-(\d+)\.ts/, (_, i: string) => shown(blocks[Number(i)]?.file ?? '')))
    expect(problems).toEqual([])
    expect(blocks.length).toBeGreaterThan(7)
  })

  test('the types of the API say what they should', () => {
    const folder = prepared('types')
    const types = fileURLToPath(new URL('types', import.meta.url))
    for (const file of filesOf(types)) writeFileSync(join(folder, basename(file)), text(file))
    expect(compile(folder)).toBe('')
    writeFileSync(join(folder, 'wrong.ts'), `// @ts-expect-error nothing is wrong here\nexport const x: number = 1\n`)
    expect(compile(folder)).toContain('wrong.ts')
  })
})
