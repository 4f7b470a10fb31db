/** A callback that times epochs and counts the samples trained on. */
import type { Callback } from '@cotangent/layers'

export class Clock implements Callback {
  /** Samples in an epoch. */
  samples = 0
  /** Seconds of each epoch, validation included. */
  readonly seconds: number[] = []
  #begun = 0

  onTrainBegin({ samples }: { samples: number | undefined }): void {
    this.samples = samples ?? 0
  }
  onEpochBegin(): void {
    this.#begun = performance.now()
  }
  onEpochEnd(): void {
    this.seconds.push((performance.now() - this.#begun) / 1000)
  }

  get secondsPerEpoch(): number {
    return this.seconds.reduce((a, b) => a + b, 0) / this.seconds.length
  }
}
