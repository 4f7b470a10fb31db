/**
 * No cycles, and imports point one way: the site → examples and bench → layers, datasets → core; inside core, ops → the backend interface ← backends (and ops name the families
 * of their kernels, `backends/families/`, so that a bundle holds the kernels of its ops).
 * Type-only imports don't count.
 */
const runtime = { dependencyTypesNot: ['type-only'] }

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    {
      name: 'core-stands-alone',
      severity: 'error',
      from: { path: '^packages/core/src' },
      to: { path: '^(packages/(layers|datasets)|examples|bench)' },
    },
    {
      name: 'layers-know-core-only',
      comment: 'And zip and npy, which datasets read and model files are made of.',
      severity: 'error',
      from: { path: '^packages/layers/src', pathNot: '\\.test\\.ts$' },
      to: { path: '^(packages/datasets|examples|bench)', pathNot: '^packages/datasets/src/formats/index\\.ts$' },
    },
    {
      name: 'datasets-stand-alone',
      severity: 'error',
      from: { path: '^packages/datasets/src', pathNot: '\\.test\\.ts$' },
      to: { path: '^(packages/(core|layers)|examples|bench)' },
    },
    {
      name: 'locating-knows-no-set',
      comment: 'How files are found is the same for all datasets.',
      severity: 'error',
      from: { path: '^packages/datasets/src/(locating|formats)', pathNot: '\\.test\\.ts$' },
      to: { path: '^packages/datasets/src/(mnist|imdb|jena|glove|index)' },
    },
    {
      name: 'formats-stand-alone',
      severity: 'error',
      from: { path: '^packages/datasets/src/(formats|sequence|text)/', pathNot: '\\.test\\.ts$' },
      to: { path: '^packages/datasets/src/locating' },
    },
    {
      name: 'weights-know-no-layer',
      comment: 'Initializers, regularizers and the like are functions of tensors and shapes.',
      severity: 'error',
      from: { path: '^packages/layers/src/(spelling|weights)/', pathNot: '\\.test(-d)?\\.ts$' },
      to: { path: '^packages/layers/src/(layers|training|models|callbacks|io|node|graph|layer\\.ts|index\\.ts)' },
    },
    {
      name: 'functions-know-no-layer',
      severity: 'error',
      from: { path: '^packages/layers/src/(activations\\.ts|losses/|metrics/|optimizers/)', pathNot: '\\.test\\.ts$' },
      to: { path: '^packages/layers/src/(layers|training|models|callbacks|io|node|graph|layer\\.ts|index\\.ts)' },
    },
    {
      name: 'layers-know-no-training',
      severity: 'error',
      from: { path: '^packages/layers/src/(layers/|graph/|layer\\.ts|call-layer\\.ts|inside\\.ts)', pathNot: '\\.test\\.ts$' },
      to: { path: '^packages/layers/src/(training|models|callbacks|io|node|index\\.ts)', ...runtime },
    },
    {
      name: 'training-knows-no-model',
      comment: 'Training sees what it needs of a model (training/trainable.ts), not how its layers are connected. Type-only imports count.',
      severity: 'error',
      from: { path: '^packages/layers/src/(training|callbacks)/', pathNot: '\\.test\\.ts$' },
      to: { path: '^packages/layers/src/(models|io|node|layers|index\\.ts)' },
    },
    {
      name: 'no-circles-of-types-in-training',
      comment: 'Here type-only imports count.',
      severity: 'error',
      from: { path: '^packages/layers/src/(training|callbacks)/', pathNot: '\\.test\\.ts$' },
      to: { circular: true },
    },
    {
      name: 'callbacks-know-no-training',
      severity: 'error',
      from: { path: '^packages/layers/src/callbacks/', pathNot: '\\.test\\.ts$' },
      to: { path: '^packages/layers/src/training', ...runtime },
    },
    {
      name: 'files-are-above-all',
      severity: 'error',
      from: { path: '^packages/layers/src/', pathNot: '(\\.test\\.ts$|^packages/layers/src/(io|node|index\\.ts))' },
      to: { path: '^packages/layers/src/(io|node)' },
    },
    {
      name: 'ops-know-no-backend',
      comment: 'Ops see the interface; which backend runs is a matter of the tensor.',
      severity: 'error',
      from: { path: '^packages/core/src/ops', pathNot: '\\.test\\.ts$' },
      to: { path: '^packages/core/src/backends/(reference|wasm|gpu|index)', ...runtime },
    },
    {
      name: 'backends-know-no-ops',
      severity: 'error',
      from: { path: '^packages/core/src/backends/(reference|wasm|gpu)', pathNot: '\\.test\\.ts$' },
      to: { path: '^packages/core/src/(ops|tensor/(tensor|chain|scope|finalizer)\\.ts|autodiff|index\\.ts)', ...runtime },
    },
    {
      name: 'tensors-know-no-derivatives',
      comment:
        'Tensors, shapes and lifetimes lie below the tape, the ops and the backends. Scopes alone ask what an active tape still needs (recording.ts, which imports nothing from here).',
      severity: 'error',
      from: { path: '^packages/core/src/tensor', pathNot: '\\.test(-d)?\\.ts$' },
      to: { path: '^packages/core/src/(autodiff/(?!recording\\.ts)|ops|backends)', ...runtime },
    },
    {
      name: 'autodiff-knows-no-op',
      comment:
        'The walk gets the ops handed over (provideOps). Checking a derivative needs the reference backend, and asks for it by name.',
      severity: 'error',
      from: { path: '^packages/core/src/autodiff', pathNot: '(\\.test|/grad-check)\\.ts$' },
      to: { path: '^packages/core/src/(ops|backends)', ...runtime },
    },
    {
      name: 'grad-check-knows-no-op',
      severity: 'error',
      from: { path: '^packages/core/src/autodiff/grad-check\\.ts$' },
      to: { path: '^packages/core/src/(ops|backends/(reference|wasm|gpu))', ...runtime },
    },
    {
      name: 'wasm-assembler-at-the-bottom',
      comment: 'assembler ← engine ← families of kernels ← index.',
      severity: 'error',
      from: { path: '^packages/core/src/backends/wasm/assembler', pathNot: '\\.test\\.ts$' },
      to: { path: '^packages/core/src/backends/wasm/(?!assembler)', ...runtime },
    },
    {
      name: 'wasm-engine-knows-no-kernel',
      severity: 'error',
      from: { path: '^packages/core/src/backends/wasm/engine', pathNot: '\\.test\\.ts$' },
      to: { path: '^packages/core/src/backends/wasm/(?!assembler|engine)', ...runtime },
    },
    {
      name: 'gpu-source-at-the-bottom',
      comment: 'source ← device ← kernels ← index.',
      severity: 'error',
      from: { path: '^packages/core/src/backends/gpu/source', pathNot: '\\.test\\.ts$' },
      to: { path: '^packages/core/src/backends/gpu/(?!source)', ...runtime },
    },
    {
      name: 'gpu-device-knows-no-kernel',
      severity: 'error',
      from: { path: '^packages/core/src/backends/gpu/device', pathNot: '\\.test\\.ts$' },
      to: { path: '^packages/core/src/backends/gpu/(?!source|device)', ...runtime },
    },
    {
      name: 'kernels-know-no-index',
      comment: 'The index of a backend puts its kernels together; nothing inside a backend imports it.',
      severity: 'error',
      from: { path: '^packages/core/src/backends/(wasm|gpu)/[^/]+/', pathNot: '\\.test\\.ts$' },
      to: { path: '^packages/core/src/backends/(wasm|gpu)/index\\.ts$', ...runtime },
    },
    {
      name: 'only-index-from-outside',
      comment: 'Packages are used through their public names.',
      severity: 'error',
      from: { path: '^(packages/[^/]+|examples|bench)/', pathNot: '\\.test\\.ts$' },
      to: {
        path: '^packages/[^/]+/src/(?!index\\.ts$)',
        pathNot: [
          '^$1/',
          '^packages/core/src/(arguments|gpu|kernels)\\.ts$',
          '^packages/datasets/src/formats/index\\.ts$',
          '^packages/layers/src/(node|report)/index\\.ts$',
        ],
      },
    },
    {
      name: 'kernels-for-the-bench',
      comment: 'What kernels are written with is there to be studied, not to build on.',
      severity: 'error',
      from: { path: '^(packages|examples)/' },
      to: { path: '^packages/core/src/kernels\\.ts$' },
    },
    {
      name: 'site-is-above-all',
      comment: 'Two tests alone import it: they run the cells of its pages, and print as those do.',
      severity: 'error',
      from: { pathNot: ['^docs/site/', '^examples/backprop/(docs\\.test|snippets)\\.ts$'] },
      to: { path: '^docs/site/' },
    },
    {
      name: 'site-uses-public-names',
      comment: 'The kernel lens studies kernels; charts and maps have the colours of reports, and files are saved as there.',
      severity: 'error',
      from: { path: '^docs/site/' },
      to: {
        path: '^packages/[^/]+/src/(?!index\\.ts$)',
        pathNot: ['^packages/core/src/(gpu|kernels)\\.ts$', '^packages/layers/src/report/view/(curves|save|text|theme)\\.ts$'],
      },
    },
    {
      name: 'pages-know-no-build',
      comment: 'The scripts of pages run in browsers; the build and the walk run in Node.',
      severity: 'error',
      from: { path: '^docs/site/parts/', pathNot: '\\.test\\.ts$' },
      to: { path: '^(docs/site/(build|walk|pictures\\.ts)|examples)', ...runtime },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', 'dist'] },
    exclude: { path: ['dist', 'bench/peers', 'node_modules'] },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { conditionNames: ['@cotangent/source', 'import', 'default'], exportsFields: ['exports'] },
  },
}
