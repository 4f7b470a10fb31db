declare module 'site:names' {
  /** The names that each module exports, as packages/*\/api.txt lists them. The build makes it. */
  const names: Readonly<Record<string, readonly string[]>>
  export default names
}
