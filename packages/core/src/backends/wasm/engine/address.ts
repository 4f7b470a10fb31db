/** The address of an operand, for kernels. */
import type { Operand } from '../../backend.js'

/** The address of an operand's first element. */
export const address = (x: Operand): number => x.storage.handle as number
