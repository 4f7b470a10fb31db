/** The public names of linear algebra. */

export { cholesky, type TriangularSolveOptions, triangularSolve } from './cholesky.js'
export * from './determinant.js'
export * from './factors.js'
export * from './least-squares.js'
export * from './matrix-functions.js'
export { type NormOptions, norm } from './norm.js'
export { inverse, solve } from './solve.js'
export * from './spectra.js'
