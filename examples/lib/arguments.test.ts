/** The command line: values, mistakes, and suggestions. */
import { describe, expect, it } from 'vitest'
import { type FlagName, flags, readCommandLine, suggestion, UsageError } from './arguments.js'

const all = Object.keys(flags) as FlagName[]
const read = (...argv: string[]) => readCommandLine(argv, all)

describe('flags', () => {
  it('reads values of all kinds', () => {
    expect(
      read(
        'some-id',
        '--epochs',
        '3',
        '--batch-size=64',
        '--lr',
        '1e-3',
        '--seed',
        '0',
        '--backend',
        'reference',
        '--threads',
        '1',
        '--out',
        'x',
      ),
    ).toEqual({
      positionals: ['some-id'],
      settings: { epochs: 3, 'batch-size': 64, lr: 0.001, seed: 0, backend: 'reference', threads: 1, out: 'x' },
      help: false,
    })
  })
  it('asks for help', () => expect(read('--help').help && read('-h').help).toBe(true))
  it.each([
    [['--epoch', '3'], 'Unknown flag --epoch. Did you mean --epochs?'],
    [['--batchsize', '3'], 'Unknown flag --batchsize. Did you mean --batch-size?'],
    [['--whatever-this-is'], 'Unknown flag --whatever-this-is. There are: --epochs,'],
    [['-e', '3'], 'Unknown flag -e.'],
    [['--epochs'], '--epochs needs a value: --epochs <n>.'],
    [['--epochs', 'three'], '--epochs takes a whole number, at least 1, got "three".'],
    [['--epochs', '0'], '--epochs takes a whole number, at least 1, got "0".'],
    [['--epochs', '1.5'], 'got "1.5"'],
    [['--epochs', ''], 'got ""'],
    [['--epochs', '--lr'], 'got "--lr"'],
    [['--seed', '-1'], '--seed takes a whole number from 0 to 4294967295, got "-1".'],
    [['--lr', '0'], '--lr takes a number above 0, got "0".'],
    [['--lr', 'Infinity'], 'got "Infinity"'],
    [['--backend', 'wasmm'], '--backend is one of wasm, reference, gpu, got "wasmm". Did you mean wasm?'],
    [['--threads', '17'], '--threads takes a whole number from 1 to 16 or auto, got "17".'],
    [['--threads', 'all'], '--threads takes a whole number from 1 to 16 or auto, got "all".'],
    [['--data', '/no/such/place'], '--data takes a directory that exists, got "/no/such/place".'],
    [['--json', '--out'], '--json takes a file, got "--out".'],
  ])('answers %j in one line', (argv, message) => {
    expect(() => read(...argv)).toThrow(UsageError)
    expect(() => read(...argv)).toThrow(message)
    try {
      read(...argv)
    } catch (error) {
      expect((error as Error).message).not.toContain('\n')
    }
  })
  it('takes only the flags of the program', () => expect(() => readCommandLine(['--json', 'x'], ['epochs'])).toThrow('Unknown flag --json'))
})

describe('every flag', () => {
  const here = import.meta.dirname
  /** Values that people give a flag by mistake; one of them is a valid large number. */
  const junk = [
    '',
    ' ',
    'abc',
    '-1',
    '0',
    '1.5',
    '1e999',
    'NaN',
    'Infinity',
    '0x10',
    '1,5',
    '12abc',
    '--seed',
    '/no/such/place',
    '1e300',
    'constructor',
  ]
  const few = '2'
  /** For each flag a right value, and the junk that is right for it, too. */
  const rows: Record<Exclude<FlagName, 'report'>, { good: string; takes: string[] }> = {
    epochs: { good: few, takes: [] },
    'batch-size': { good: few, takes: [] },
    lr: { good: '1e-3', takes: ['1.5', '1e300'] },
    limit: { good: few, takes: [] },
    'train-rows': { good: few, takes: [] },
    seed: { good: few, takes: ['0'] },
    backend: { good: 'reference', takes: [] },
    threads: { good: few, takes: [] },
    steps: { good: few, takes: [] },
    prompt: { good: 'x', takes: junk.filter((text) => text !== '' && !text.startsWith('--')) },
    data: { good: here, takes: [] },
    model: { good: import.meta.filename, takes: [] },
    // A path that does not exist will be made. Whether that is possible is checked before the training.
    json: { good: 'x', takes: junk.filter((text) => text !== '' && !text.startsWith('--')) },
    out: { good: 'x', takes: junk.filter((text) => text !== '' && !text.startsWith('--')) },
  }
  it('has a row', () => expect([...Object.keys(rows), 'report'].sort()).toEqual([...all].sort()))
  it.each(Object.entries(rows))('--%s takes what it says, and answers the rest in one line with its name', (name, { good, takes }) => {
    expect(read(`--${name}`, good).settings).toHaveProperty(name)
    const problems: string[] = []
    for (const argv of [...junk.flatMap((text) => [[`--${name}`, text], [`--${name}=${text}`]]), [`--${name}`]]) {
      const text = argv.length > 1 ? argv[1] : argv[0].includes('=') ? argv[0].slice(name.length + 3) : undefined
      try {
        read(...argv)
        if (text === undefined || !takes.includes(text)) problems.push(`${argv.join(' ')}: taken`)
      } catch (error) {
        const { message } = error as Error
        const ours = error instanceof UsageError && message.startsWith(`--${name} `) && !message.includes('\n')
        if (!ours || (text !== undefined && takes.includes(text))) problems.push(`${argv.join(' ')}: ${error}`)
      }
    }
    expect(problems).toEqual([])
  })
  it('--report needs no file, and takes one that ends in .html or .json', () => {
    for (const argv of [['--report'], ['--report='], ['--report', '--seed', '2'], ['--seed', '2', '--report']])
      expect(read('mnist-mlp', ...argv)).toMatchObject({ positionals: ['mnist-mlp'], settings: { report: '' } })
    expect(read('--report', '--seed', '2').settings).toEqual({ report: '', seed: 2 })
    for (const file of ['run.html', 'a b/run.htm', 'out/run.json']) expect(read('--report', file).settings).toEqual({ report: file })
    for (const file of junk.filter((text) => text !== '' && !text.startsWith('--')))
      expect(() => read('--report', file)).toThrow(`--report takes a file that ends in .html or .json, got "${file}".`)
    // An id behind it is no file.
    expect(() => read('--report', 'mnist-mlp')).toThrow('ends in .html or .json')
  })
  it.each(['--constructor', '--__proto__', '--toString', '--no-epochs', '-1', '-limit', '--Epochs'])('there is no %s', (flag) => {
    expect(() => read(flag, '3')).toThrow(UsageError)
    expect(() => read(flag, '3')).toThrow('Unknown flag -')
  })
})

describe('suggestion', () => {
  const ids = ['mnist-mlp', 'mnist-dropout-mlp', 'mnist-mlp-rmsprop']
  it.each([
    ['mnist-mpl', ' Did you mean mnist-mlp?'],
    ['MNIST-MLP', ' Did you mean mnist-mlp?'],
    ['mnist-mlp-rmspro', ' Did you mean mnist-mlp-rmsprop?'],
    ['cifar', ''],
  ])('%s →%s', (text, expected) => expect(suggestion(text, ids)).toBe(expected))
})
