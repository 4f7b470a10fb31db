/** The units of figures. */

export type Unit = 'ms' | 'GFLOP/s' | 'GB/s' | 'µs'

/** In this unit a smaller number is better. */
export const isTime = (unit: string): boolean => unit === 'ms' || unit === 'µs'
