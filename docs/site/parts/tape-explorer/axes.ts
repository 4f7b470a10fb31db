/** Which tensors are images or filters, so that their rows and columns are height and width. */
import type { Tape, Tensor } from '@cotangent/core'

type Axes = readonly [number, number]

export function axesOf(tape: Tape): Map<Tensor, Axes> {
  const axes = new Map<Tensor, Axes>()
  for (const { op, inputs, output } of tape.records) {
    if (!/conv|pool/i.test(op.name) || output.shape.length !== 4) continue
    axes.set(inputs[0], [1, 2])
    axes.set(output, [1, 2])
    if (/conv/i.test(op.name) && inputs[1]?.shape.length === 4) axes.set(inputs[1], [0, 1])
  }
  // A tensor that has the shape of an image and is made of one, or into one, is an image, too.
  const spread = (from: Tensor, to: Tensor): void => {
    const known = axes.get(from)
    if (known && !axes.has(to) && from.shape.join() === to.shape.join()) axes.set(to, known)
  }
  for (const { inputs, output } of tape.records) for (const input of inputs) spread(input, output)
  for (const { inputs, output } of [...tape.records].reverse()) for (const input of inputs) spread(output, input)
  return axes
}
