/** Standard output: progress bars, and readers that leave early. */

interface Stream {
  write(text: string): unknown
  isTTY?: boolean
}

/** Ends the process quietly if its reader has left, as `| head -5` does after five lines. Otherwise that would be an error with a stack trace. */
export function endWithReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      process.exit(0)
    })
  }
}

/** Progress for a terminal, which shows the bar moving, or for a pipe or a file, which gets only the finished lines, as the documents show them. */
export function progressOutput(stream: Stream = process.stdout): { write(text: string): void; isTerminal: boolean } {
  if (stream.isTTY) return { write: (text) => void stream.write(text), isTerminal: true }
  return {
    isTerminal: false,
    write(text) {
      // Each redraw is a new line. All but the last one contain the time that is left.
      if (!text.includes(' - ETA: ')) stream.write(text.replace(/^\n/, '').replace(/ +\n$/, '\n'))
    },
  }
}
