/** Standard output: progress bars, and readers that leave early. */

interface Stream {
  write(text: string): unknown
  isTTY?: boolean
}

/** Ends the process quietly once nobody reads what it prints, as `| head -5` does after five lines; else that is an error with a stack trace. */
export function endWithReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      process.exit(0)
    })
  }
}

/** A terminal sees the bar move; a pipe or a file gets its finished lines only, as the documents show them. */
export function progressOutput(stream: Stream = process.stdout): { write(text: string): void; isTerminal: boolean } {
  if (stream.isTTY) return { write: (text) => void stream.write(text), isTerminal: true }
  return {
    isTerminal: false,
    write(text) {
      // A redraw comes as a new line; one that is not the last says how long it will take.
      if (!text.includes(' - ETA: ')) stream.write(text.replace(/^\n/, '').replace(/ +\n$/, '\n'))
    },
  }
}
