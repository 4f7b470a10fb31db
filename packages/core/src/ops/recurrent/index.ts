/** The public names of recurrent networks. */
export type { GateActivation } from './gates.js'
export * from './gru.js'
export * from './lstm.js'
export { lstmCell } from './lstm-cell.js'
export type { SequenceOptions, SequenceResult } from './sequence-options.js'
export * from './simple-rnn.js'
