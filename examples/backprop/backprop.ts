/**
 * Backpropagation, one record at a time: the tape of a small network, the walk backwards over it with every derivative checked, and the
 * training of the same network. docs/backprop.md leads from this output to the code.
 *
 * Run it with `npm run example -- backprop`.
 */
import { pathToFileURL } from 'node:url'
import type { Settings } from '../lib/arguments.js'
import type { Demonstration } from '../lib/demonstration.js'
import { Recording } from '../lib/recording.js'
import { trainingLines, walkLines } from './print.js'
import { type Training, train } from './train.js'
import { type Walk, walk } from './walk.js'

export const backprop = {
  id: 'backprop',
  title: 'Backpropagation on exclusive or, one record at a time',
  flags: ['seed', 'lr', 'epochs', 'backend', 'report'],

  /** Prints everything and returns it as data. */
  async run(
    { seed = 1, lr: rate = 2, epochs: steps = 2000 }: Settings = {},
    recording = new Recording(),
  ): Promise<{ walk: Walk; training: Training }> {
    const walked = walk(seed)
    console.log([backprop.title, '', ...walkLines(walked), ''].join('\n'))
    recording.stretchBegins()
    const training = await train({ seed, rate, steps })
    console.log(trainingLines(training, { seed, rate, steps }).join('\n'))
    // All four points are one batch, so an epoch is a step.
    const [at, loss] = [training.losses.map(({ step }) => step), training.losses.map((each) => each.loss)]
    recording.curve(at, { loss }, rate)
    await recording.shows(() => ({ kind: 'text', title: 'The tape, and the way back over it', text: walkLines(walked).join('\n') }))
    return { walk: walked, training }
  },
} satisfies Demonstration

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await backprop.run()
