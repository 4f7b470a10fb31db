/** The table of `summary()` in the forms of Keras. */
import { describe, expect, test } from 'vitest'
import { loadGolden } from '../../test/golden.js'
import { type SummaryStyle, summaryLines } from './summary-text.js'

describe('golden summaries', () => {
  for (const { name, case_kind, params, inputs, expected } of loadGolden('text_output.json')) {
    if (case_kind !== 'summary') continue
    test(name, () => {
      const rows = inputs.layers as { name: string; class: string; output_shape: (number | null)[]; params: number }[]
      const lines = summaryLines({
        modelName: inputs.model_name as string,
        layers: rows.map((row) => ({ name: row.name, className: row.class, outputShape: row.output_shape, params: row.params })),
        trainable: inputs.trainable as number,
        nonTrainable: inputs.non_trainable as number,
        style: params.keras as SummaryStyle,
      })
      expect(lines).toEqual(expected.lines)
    })
  }
})

test('a shape of one axis is a Python tuple', () => {
  const lines = summaryLines({
    modelName: 'm',
    layers: [{ name: 'a', className: 'B', outputShape: [null], params: 0 }],
    trainable: 0,
    nonTrainable: 1234,
  })
  expect(lines[4]).toContain('(None,)')
  expect(lines).toContain('Non-trainable params: 1,234')
})
