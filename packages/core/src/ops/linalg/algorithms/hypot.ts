/**
 * √(a² + b²) without overflow. Engines differ in the last bit of `Math.hypot`; divisions and square roots have the same bits in all of them.
 */
export function hypot(a: number, b: number): number {
  const large = Math.max(Math.abs(a), Math.abs(b))
  if (large === 0 || large === Infinity) return large
  const ratio = Math.min(Math.abs(a), Math.abs(b)) / large
  return large * Math.sqrt(1 + ratio * ratio)
}
