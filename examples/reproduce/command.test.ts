/** Mistakes on the command line of `npm run reproduce`; and the words for a time. */
import { describe, expect, test, vi } from 'vitest'
import { reproduce } from './command.js'
import { duration } from './train.js'

describe('mistakes on the command line', () => {
  test.each([
    [['--only', 'mnist-mpl'], 'There is no experiment "mnist-mpl" with a result. Did you mean mnist-mlp?'],
    [['--only', 'backprop'], 'There is no experiment "backprop" with a result.'],
    [['--quik'], 'Unknown flag --quik. Did you mean --quick?'],
    [['mnist-mlp'], 'Unexpected argument "mnist-mlp". Ids stand after --only'],
    [['--seeds', '1,x'], '--seeds takes whole numbers from 0 to 4294967295, got "x".'],
    [['--seed', '1'], '--seed belongs to --certify.'],
    [['--certify', 'mnist-mlp', '--seed', '-1'], "'--seed' argument is ambiguous"],
    [['--node', '/no/such/node'], '--node takes the path of a Node, got "/no/such/node".'],
    [['--data', '/no/such'], '--data takes a directory that exists, got "/no/such".'],
    [['--threads', '17'], '--threads takes a whole number from 1 to 16 or auto, got "17".'],
  ])('%j', async (args, message) => {
    const [log, error] = (['log', 'error'] as const).map((name) => vi.spyOn(console, name).mockImplementation(() => undefined))
    try {
      expect(await reproduce(args)).toBe(2)
      expect(log).not.toHaveBeenCalled()
      expect(error.mock.calls).toEqual([[expect.stringContaining(message)]])
      expect(error.mock.calls[0][0]).not.toContain('\n')
    } finally {
      for (const spy of [log, error]) spy.mockRestore()
    }
  })
})

test.each([
  [4.4, '4 s'],
  [89, '89 s'],
  [95, '2 min'],
  [5300, '88 min'],
  [5400, '1 h 30 min'],
  [36_000, '10 h 0 min'],
])('%d seconds are %s', (seconds, text) => expect(duration(seconds)).toBe(text))
