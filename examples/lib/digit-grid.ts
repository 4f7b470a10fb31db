/** A grid of images as one SVG with a grey PNG inside. A rectangle for each pixel would take a hundred times the bytes. */
import { crc32, deflateSync } from 'node:zlib'
import type { NDArray } from '@cotangent/datasets'

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const out = Buffer.alloc(body.length + 8)
  out.writeUInt32BE(data.length, 0)
  body.copy(out, 4)
  out.writeUInt32BE(crc32(body), body.length + 4)
  return out
}

/** Grey bytes, row by row, as a PNG file. */
export function greyPng(pixels: Uint8Array, width: number, height: number): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header[8] = 8 // bits a pixel; the zeros after it mean grey, deflate, no choice of filters, not interlaced
  const rows = Buffer.alloc((width + 1) * height) // each row begins with 0, which means not filtered
  for (let y = 0; y < height; y++) rows.set(pixels.subarray(y * width, (y + 1) * width), y * (width + 1) + 1)
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', new Uint8Array())])
}

/** The first `side`² images in a square, white ink on black. Each pixel is enlarged, so that no viewer blurs it. */
export function digitGrid({ data, shape }: NDArray<Uint8Array>, side: number, enlarged = 3): string {
  const [count, height, width] = shape
  const [tall, wide] = [height * enlarged + 4, width * enlarged + 4]
  const pixels = new Uint8Array(side * tall * side * wide).fill(255)
  for (let i = 0; i < Math.min(count, side * side); i++) {
    const [top, left] = [Math.floor(i / side) * tall + 2, (i % side) * wide + 2]
    for (let y = 0; y < height * enlarged; y++) {
      const row = (i * height + Math.floor(y / enlarged)) * width
      for (let x = 0; x < width * enlarged; x++) pixels[(top + y) * side * wide + left + x] = data[row + Math.floor(x / enlarged)]
    }
  }
  const [w, h] = [side * wide, side * tall]
  const png = greyPng(pixels, w, h).toString('base64')
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}"><image width="${w}" height="${h}" href="data:image/png;base64,${png}"/></svg>\n`
}
