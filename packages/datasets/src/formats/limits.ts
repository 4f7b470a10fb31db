/** The default limits on the memory that files may ask for. */

/** 2 GiB: never more than this. */
export const mostBytes = 2 ** 31

/**
 * The largest size that packed data may unpack to, by their number of bytes: 256 MiB, or 100 times their size if that is more, up to 2 GiB. Images,
 * texts and weights are far below that ratio; DEFLATE's own limit is 1032, and files of nothing but zeros reach it.
 */
export const unpackedLimit = (length: number): number => Math.min(mostBytes, Math.max(2 ** 28, 100 * length))
