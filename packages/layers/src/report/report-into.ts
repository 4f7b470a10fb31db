/** The report of a training in an element of the page that trains. */

import { ValueError } from '@cotangent/core'
import { describeValue } from '@cotangent/core/arguments'
import { now } from '../platform.js'
import { readOptions, type SpelledOptions } from '../spelling/names.js'
import { type RecordOptions, RunRecorder, recordDefaults, recordRules } from './recorder.js'
import type { Mounted } from './view-face.js'

/** An element of a page, as far as a report needs one. An `HTMLElement` that may have a shadow root is one: a `div`, for instance. */
export interface ReportElement {
  attachShadow(options: { mode: 'open' | 'closed' }): unknown
}

/** Options of `reportInto`. */
export interface ReportIntoOptions extends RecordOptions {}

/** Drawing may take this share of the time. A training of short epochs is not drawn at each of them. */
const SHARE = 1 / 20

/**
 * Makes a callback that fills an element of a page with the report of a training, and keeps it up to date while the model trains there. It is the view that `report` of
 * `@cotangent/layers/node` writes to a file. It stands in a shadow root, so the styles of the page and those of the report do not meet. Drawing takes a twentieth of the time at
 * most; the last state is always drawn.
 *
 * @throws ValueError for something that is no element, or one that can have no shadow root, such as an `img`; and for options as `recordRun` does
 * @example
 * ```ts
 * const element = document.querySelector('#report') as HTMLElement
 * await model.fit(x, y, { epochs: 20, validationSplit: 0.2, callbacks: [reportInto(element, { title: 'In this page' })] })
 * ```
 */
export function reportInto(element: ReportElement, options?: SpelledOptions<ReportIntoOptions>): RunRecorder {
  if (typeof (Object(element) as Partial<ReportElement>).attachShadow !== 'function')
    throw new ValueError(
      `reportInto: expected an element of the page, got ${describeValue(element)}. Write reportInto(document.querySelector('#report')), after the element is there.`,
    )
  const settings = readOptions<Required<RecordOptions>>(
    'reportInto',
    options,
    recordDefaults,
    recordRules,
    "reportInto(element, { title: 'first try' })",
  )
  let view: Mounted | undefined
  let next = 0
  return new RunRecorder(settings, async (record, mayWait) => {
    const begin = now()
    if (mayWait && begin < next) return
    if (view) view.update(record)
    else {
      // Only here, since Node takes sections from this entry, and needs no plots for them.
      const { mount } = await import('#report-view')
      view = mount(element, record)
    }
    next = now() + (now() - begin) / SHARE
  })
}
