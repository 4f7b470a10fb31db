/**
 * Globals of browsers and Node that declarations of this package name. A project without the types of either lacks them; these empty ones stand in, and
 * merge with the real ones where they are.
 */
declare global {
  interface AbortSignal {}
  interface Response {}
  // biome-ignore lint/suspicious/noExplicitAny: all declarations of one interface have the same parameters and defaults
  interface ReadableStream<R = any> {}
}

export {}
