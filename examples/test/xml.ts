/** For tests: pictures that were written. */
import { readFileSync } from 'node:fs'

/** Whether a text is well-formed XML, of the plain kind that SVG files are (elements, attributes, text; no CDATA). */
export function wellFormed(text: string): boolean {
  const open: string[] = []
  let roots = 0
  const tag = /<(\/?)([A-Za-z_:][\w:.-]*)((?:\s+[\w:.-]+="[^"<]*")*)\s*(\/?)>/y
  const words = /(?:[^<&]|&(?:amp|lt|gt|quot|apos|#\d+|#x[\da-f]+);)+/iy
  for (let at = 0; at < text.length; ) {
    words.lastIndex = at
    const between = words.exec(text)
    if (between) {
      if (open.length === 0 && between[0].trim() !== '') return false
      at = words.lastIndex
      continue
    }
    tag.lastIndex = at
    const found = tag.exec(text)
    if (!found) return false
    const [, closing, name, , empty] = found
    if (closing) {
      if (open.pop() !== name) return false
    } else {
      if (open.length === 0) roots++
      if (!empty) open.push(name)
    }
    at = tag.lastIndex
  }
  return open.length === 0 && roots === 1
}

/** Reads an SVG, and throws unless it is well-formed, all its numbers are finite, and it has so many images. */
export function readPicture(path: string, images: number): string {
  const svg = readFileSync(path, 'utf8')
  const found = svg.match(/<image /g)?.length ?? 0
  if (!wellFormed(svg) || /NaN|Infinity|undefined/.test(svg) || found !== images)
    throw new Error(`${path}: not well-formed, not finite, or ${found} images`)
  return svg
}
