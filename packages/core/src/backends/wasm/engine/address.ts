/** Operands as kernels want them. */
import type { Operand } from '../../backend.js'

/** Where an operand's elements start. */
export const address = (x: Operand): number => x.storage.handle as number
