/**
 * The digits of the site, loaded in a worker on the reader's click: 12,000 to train on and 2,000 others to test with, of MNIST (build/digits.ts).
 */
import { readIdx } from '@cotangent/datasets'

export interface Digits {
  /** [n, 28, 28], row by row, 0 is paper and 255 is ink. */
  readonly images: Uint8Array
  readonly labels: Uint8Array
  readonly count: number
}

export const SIDE = 28
export const PIXELS = SIDE * SIDE

/** The site was built without data. */
export class NoDigits extends Error {
  override readonly name: string = 'NoDigits'
}

/** Files lie beside the folder of scripts. */
const data = (name: string): URL => new URL(`../data/${name}`, import.meta.url)

/**
 * @param onLoaded gets the share that is there, 0 to 1
 * @throws NoDigits if the site was built without data; Error if a file does not come
 */
export async function loadDigits(onLoaded: (share: number) => void = () => {}): Promise<{ train: Digits; test: Digits }> {
  const fetched = async (name: string): Promise<Response> => {
    const response = await fetch(data(name))
    if (!response.ok) throw new Error(`The digits did not come: ${response.status} for data/${name}.`)
    return response
  }
  const note = await (await fetched('digits.json')).json()
  if ('missing' in note) throw new NoDigits(note.missing)
  let loaded = 0
  const read = async (name: string): Promise<{ shape: readonly number[]; data: Uint8Array }> => {
    const body = (await fetched(`digits-${name}.bin`)).body as ReadableStream<Uint8Array>
    const counted = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        loaded += chunk.length
        onLoaded(Math.min(1, loaded / note.bytes))
        controller.enqueue(chunk)
      },
    })
    const bytes = new Uint8Array(await new Response(body.pipeThrough(counted as ReadableWritablePair)).arrayBuffer())
    const { shape, data } = await readIdx(bytes, { name: `digits-${name}.bin` })
    return { shape, data: data as Uint8Array }
  }
  const part = async (name: string): Promise<Digits> => {
    const [images, labels] = await Promise.all([read(`${name}-images`), read(`${name}-labels`)])
    return { images: images.data, labels: labels.data, count: labels.shape[0] }
  }
  const [train, test] = await Promise.all([part('train'), part('test')])
  return { train, test }
}

/** Pixels as numbers from 0 to 1. */
export function inked({ images }: Digits): Float32Array {
  const values = new Float32Array(images.length)
  for (let i = 0; i < values.length; i++) values[i] = images[i] / 255
  return values
}
