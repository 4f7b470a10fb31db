/** The activations beyond relu, sigmoid, tanh and softplus, which are elementwise kernels. */
export * from './over-axis.js'
export * from './piecewise.js'
export * from './smooth.js'
