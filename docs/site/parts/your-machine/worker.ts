/** Rows of the bench, one after the other. */
import { measureRow, onOneThread } from '../../../../bench/in-page.js'
import { pageRows } from '../../../../bench/page-rows.js'
import type { RecordRow } from '../../../../bench/records.js'
import { serve, type Tell } from '../shared/serve.js'

export type Told = { started: number } | { row: RecordRow }

onOneThread()

export const functions = {
  /** @param seconds of each row, besides data and warming up */
  async measure(seconds: number, tell?: Tell): Promise<RecordRow[]> {
    const rows: RecordRow[] = []
    for (const [started, row] of pageRows.entries()) {
      tell?.({ started } satisfies Told)
      rows.push(await measureRow(row, 1000 * seconds))
      tell?.({ row: rows[rows.length - 1] } satisfies Told)
    }
    return rows
  },
}

serve(functions)
