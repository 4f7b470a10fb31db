/** ε, `K.epsilon()` since Keras 2.1.3. */
export const EPSILON = 1e-7
/** A number that stands for −∞ where −∞ would make a gradient NaN: in float32, too, no difference of two finite losses reaches it. */
export const LOWEST = -1e30
