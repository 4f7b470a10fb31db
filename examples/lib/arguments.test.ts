/** The command line: values, mistakes, and what is suggested. */
import { describe, expect, it } from 'vitest'
import { type FlagName, flags, nearest, readCommandLine, UsageError } from './arguments.js'

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
    [['--epochs', 'three'], '--epochs takes a whole number from 1, got "three".'],
    [['--epochs', '0'], '--epochs takes a whole number from 1, got "0".'],
    [['--epochs', '1.5'], 'got "1.5"'],
    [['--epochs', ''], 'got ""'],
    [['--epochs', '--lr'], 'got "--lr"'],
    [['--seed', '-1'], '--seed takes a whole number from 0 to 4294967295, got "-1".'],
    [['--lr', '0'], '--lr takes a number above 0, got "0".'],
    [['--lr', 'Infinity'], 'got "Infinity"'],
    [['--backend', 'wasmm'], '--backend is one of wasm, reference, gpu, got "wasmm". Did you mean wasm?'],
    [['--threads', '9'], '--threads takes a whole number from 1 to 8 or auto, got "9".'],
    [['--threads', 'all'], '--threads takes a whole number from 1 to 8 or auto, got "all".'],
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

describe('nearest', () => {
  const ids = ['mnist-mlp', 'mnist-dropout-mlp', 'mnist-mlp-rmsprop']
  it.each([
    ['mnist-mpl', 'mnist-mlp'],
    ['MNIST-MLP', 'mnist-mlp'],
    ['mnist-mlp-rmspro', 'mnist-mlp-rmsprop'],
    ['cifar', undefined],
  ])('%s → %s', (text, expected) => expect(nearest(text, ids)).toBe(expected))
})
