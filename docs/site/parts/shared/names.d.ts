declare module 'site:names' {
  /** The names that each module exports, as packages/*\/api.txt lists them. The build makes it. */
  const names: Readonly<Record<string, readonly string[]>>
  export default names
}
declare module 'site:formulas' {
  /** The formulas of the lens by the names of their ops, as HTML. The build makes it. */
  const formulas: Readonly<Record<string, string>>
  export default formulas
}
