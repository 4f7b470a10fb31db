/** Writes samples in one line each. Without these helpers the formatter would put every shape of a nested array on a line of its own. */
import type { Shape } from '../tensor/shape.js'
import type { Sample, SampleInput } from './op.js'

type Input = Shape | SampleInput

/** A call of an op that the sweep makes: `sample([2, 3], [3, 4])`. */
export const sample = (...inputs: readonly Input[]): Sample<never> => ({ inputs })

/** A call with options: `sampleWith({ transposeB: true }, [2, 3], [4, 3])`. */
export const sampleWith = <O>(options: O, ...inputs: readonly Input[]): Sample<O> => ({ inputs, options })

/** A sample whose gradient the sweep does not check; `why` gives the reason. */
export const withoutGradient = <O>(why: string, unchecked: Sample<O>): Sample<O> => ({ ...unchecked, skipGradient: why })
