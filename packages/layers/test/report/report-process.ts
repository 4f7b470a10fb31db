/** Trains and writes a report until it is killed. It says when the training begins, and when the first page is written. */
import { dense, Sequential } from '../../src/index.js'
import { report } from '../../src/node/index.js'

const [, , file] = process.argv
const x = Array.from({ length: 64 }, (_, i) => [Math.sin(i), Math.cos(i)])
const net = new Sequential([dense(8, { activation: 'tanh', inputShape: [2] }), dense(1)], { seed: 3 })
net.compile({ optimizer: 'adam', loss: 'mse' })
const says = (word: string) => ({ onTrainBegin: () => void process.stdout.write(`${word}\n`) })
await net.fit(
  x,
  x.map(([a, b]) => [a * b]),
  { epochs: 1e6, verbose: 0, callbacks: [says('begins'), report({ file, title: 'killed' }), says('written')] },
)
