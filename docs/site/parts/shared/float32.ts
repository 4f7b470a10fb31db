/** A number of float32 in as few digits as give the same one again, so that two that look alike have the same bits. */
export function float32Digits(value: number): string {
  for (let n = 1; n < 9; n++) {
    const text = String(Number(value.toPrecision(n)))
    if (Math.fround(Number(text)) === value) return text
  }
  return String(Number(value.toPrecision(9)))
}
