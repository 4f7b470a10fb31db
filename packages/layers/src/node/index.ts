/** @cotangent/layers/node: models, weights and logs as files, and the sections of reports. The public names and nothing else. */
export * from '../report/sections/index.js'
export { backupAndRestore } from './backup.js'
export { csvLogger, modelCheckpoint, tensorBoard } from './callbacks.js'
export { loadModel, loadWeights, type SaveOptions, saveModel, saveWeights } from './model-files.js'
export { type CompareOptions, compareReports, type ReportOptions, report } from './report.js'
export { type TerminalCurveOptions, terminalCurve } from './terminal-curve.js'
export { writeFileAtomic } from './write-file.js'
