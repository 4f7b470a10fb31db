/** Times epochs and counts what was trained on. */
import type { Callback } from '@cotangent/layers'

export class Clock implements Callback {
  /** Samples of an epoch. */
  samples = 0
  /** Each epoch with its validation, in seconds. */
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
