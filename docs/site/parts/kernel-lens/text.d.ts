/** A file as it is written (build/bundle.ts). */
declare module 'text:*' {
  const text: string
  export default text
}
