/** How much memory files may ask for, when nobody says otherwise. */

/** 2 GiB: never more than this. */
export const mostBytes = 2 ** 31

/**
 * How far packed data of so many bytes may unpack: 256 MiB, or 100 times their size if that is more, up to 2 GiB. Images, texts and weights are far
 * below that ratio; DEFLATE's own limit is 1032, and files of nothing but zeros reach it.
 */
export const unpackedLimit = (length: number): number => Math.min(mostBytes, Math.max(2 ** 28, 100 * length))
