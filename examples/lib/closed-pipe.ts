/** Commands whose output is read by another program, as in `npm run example -- backprop | head -5`. */

/** Ends the process quietly once nobody reads what it prints: the reader has seen enough, and that is no error. */
export function endWithReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      process.exit(0)
    })
  }
}
