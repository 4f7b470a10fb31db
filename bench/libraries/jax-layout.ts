/** Images and filters in the order that jax-js has: channels before positions. */

/** Values [n, h, w, c] in the order [n, c, h, w]. */
export function channelsFirst(values: Float32Array, shape: readonly number[]): Float32Array {
  const channels = shape[shape.length - 1]
  const cells = shape[1] * shape[2]
  return values.map((_, i) => {
    const [image, rest] = [Math.floor(i / (cells * channels)), i % (cells * channels)]
    return values[image * cells * channels + (rest % cells) * channels + Math.floor(rest / cells)]
  })
}

/** Values [n, c, h, w] in the order [n, h, w, c]. */
export function channelsLast(values: ArrayLike<number>, [, channels, height, width]: readonly number[]): Float32Array {
  const cells = height * width
  return Float32Array.from(values, (_, i) => {
    const [image, rest] = [Math.floor(i / (cells * channels)), i % (cells * channels)]
    return values[image * cells * channels + (rest % channels) * cells + Math.floor(rest / channels)]
  })
}

/** The values of a filter [size, size, c, f] in the order [f, c, size, size]. */
export const turnedFilter = (values: Float32Array, size: number, channels: number, filters: number): Float32Array =>
  values.map(
    (_, i) =>
      values[
        (i % (size * size)) * channels * filters +
          (Math.floor(i / (size * size)) % channels) * filters +
          Math.floor(i / (size * size * channels))
      ],
  )
