/** @cotangent/layers/report: the record of a run, its sections, and its view in a page. The public names and nothing else. */
export { readRecord } from './check-record.js'
export type { Comparison } from './comparison-record.js'
export type * from './record.js'
export { RECORD_VERSION } from './record.js'
export { type RecordOptions, RunRecorder, recordRun, type SectionsOption } from './recorder.js'
export { type ReportElement, type ReportIntoOptions, reportInto } from './report-into.js'
export * from './sections/index.js'
