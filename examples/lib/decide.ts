/** Turns the outputs of a softmax into classes. */
import type { Tensor } from '@cotangent/core'

/** The class with the largest output of each row, and that output. */
export async function decide(outputs: Tensor): Promise<{ classes: Int32Array; confidence: Float32Array }> {
  const [count, width] = outputs.shape
  const values = await outputs.data()
  const classes = new Int32Array(count)
  const confidence = new Float32Array(count)
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < width; c++) {
      const value = values[i * width + c]
      if (value > confidence[i]) [classes[i], confidence[i]] = [c, value]
    }
  }
  return { classes, confidence }
}
