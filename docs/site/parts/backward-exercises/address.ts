/** The address of an exercise, `#softmax`, and of one with code, `#softmax?code=…`. */
import { ladder } from './ladder.js'

const encoded = (code: string): string =>
  btoa(String.fromCharCode(...new TextEncoder().encode(code)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')

function decoded(text: string): string | undefined {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0)))
  } catch {
    return undefined
  }
}

/** Puts the code into the address and copies the link; returns what to say to the reader. */
export async function linkTo(id: string, code: string): Promise<string> {
  history.replaceState(null, '', `#${id}?code=${encoded(code)}`)
  try {
    await navigator.clipboard.writeText(location.href)
    return 'The link is copied. It holds your code; nothing was sent anywhere.'
  } catch {
    return 'The address of this page now holds your code. Copy it from there.'
  }
}

/** The exercise that the address names; undefined if that is no exercise. */
export function atAddress(hash: string): { id: string; code?: string } | undefined {
  const [, id, code] = /^#([\w-]+)(?:\?code=([\w-]+))?$/.exec(hash) ?? []
  return ladder.some((each) => each.id === id) ? { id, code: code ? decoded(code) : undefined } : undefined
}
