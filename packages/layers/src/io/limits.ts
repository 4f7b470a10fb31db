/** How much memory files may ask for, when nobody says otherwise. */

/** 2 GiB: files that are smaller never ask for more than this. */
export const MOST_BYTES = 2 ** 31

/**
 * How much a file of so many bytes may ask for: 256 MiB, or 100 times its size if that is more, up to 2 GiB; its own size at least. The same rule as
 * for archives (datasets/src/formats/limits.ts). Weights hardly get smaller by packing; files that ask for more were made to.
 */
export const memoryLimit = (length: number): number => Math.max(length, Math.min(MOST_BYTES, Math.max(2 ** 28, 100 * length)))
