/** The memory that files may ask for by default. */

/** 2 GiB: a file smaller than this never asks for more. */
export const MOST_BYTES = 2 ** 31

/**
 * The bytes that a file of `length` bytes may ask for: 256 MiB, or 100 times its size if that is more, up to 2 GiB; always at least its own size. Archives have
 * the same rule (datasets/src/formats/limits.ts). Weights hardly shrink when packed; a file that asks for more was made to do so.
 */
export const memoryLimit = (length: number): number => Math.max(length, Math.min(MOST_BYTES, Math.max(2 ** 28, 100 * length)))
