/** The times of `npm run bench -- report`, and its lines. */
import { expect, test } from 'vitest'
import { reportCost, reportCostText } from './report-cost.js'

test('each round times an epoch with a report and one without', async () => {
  const said: string[] = []
  const cost = await reportCost(2, 7, { trained: 400, validated: 200, progress: (text) => said.push(text) })
  for (const times of [cost.with, cost.without]) {
    expect(times).toHaveLength(2)
    for (const ms of times) expect(ms).toBeGreaterThan(0)
  }
  // Who goes first changes, so that neither kind always follows the other.
  expect(said).toEqual([
    'round 1 of 2, without a report',
    'round 1 of 2, with a report',
    'round 2 of 2, with a report',
    'round 2 of 2, without a report',
    '',
  ])
})

test('the ratio is that of each round, not of the medians', () => {
  expect(reportCostText({ without: [100, 200, 400], with: [110, 210, 404] }).split('\n')).toEqual([
    'an epoch of mnist-mlp, in ms   200 (100–400)',
    'with a report                  210 (110–404)',
    'ratio of each round            1.05 (1.01–1.10)',
  ])
})
