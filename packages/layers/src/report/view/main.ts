/** The script of a report file: shows the record of the page, and follows the run while it goes on. */
import type { RunRecord } from '../record.js'
import { follow } from './follow.js'
import { problem, show } from './mount.js'

const host = document.getElementById('report') as HTMLElement
try {
  const value: unknown = JSON.parse(document.getElementById('record')?.textContent ?? '')
  const view = show(host, value)
  if (view && (value as RunRecord).state === 'running')
    follow(
      value as RunRecord,
      (record) => view.update(record),
      (text) => view.news(text),
    )
} catch (error) {
  problem(host, error)
}
