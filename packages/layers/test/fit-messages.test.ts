/** The visible side of a training: printed lines, histories, errors. The file is long, since it quotes them. */
import { debug, memory, type Tensor, tensor } from '@cotangent/core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { activation, batches, batchNormalization, type Callback, dense, resetNames, Sequential } from '../src/index.js'
import { classifier, corners, quiet } from './corners.js'

beforeEach(() => resetNames())
afterEach(() => void debug({ nonFinite: false }))

describe('what fit prints and tells', () => {
  const printed = async (options: object): Promise<string> => {
    const parts: string[] = []
    const { x, y } = corners(50)
    const model = classifier()
    await model.fit(x, y, {
      epochs: 2,
      batchSize: 20,
      validationSplit: 0.2,
      output: { write: (part) => void parts.push(part) },
      ...options,
    })
    model.dispose()
    return parts.join('')
  }
  test('verbose 0, 1, 2', async () => {
    expect(await printed({ verbose: 0 })).toBe('')
    const two = await printed({ verbose: 2 })
    expect(two).toMatch(
      /^Train on 40 samples, validate on 10 samples\nEpoch 1\/2\n - \d+s - loss: \d\.\d{4} - accuracy: \d\.\d{4} - val_loss: \d\.\d{4} - val_accuracy: \d\.\d{4}\nEpoch 2\/2\n - /,
    )
    const one = await printed({ verbose: 1 })
    expect(one).toMatch(
      /40\/40 \[={30}\] - \d+s \d+[mu]s\/step - loss: \d\.\d{4} - accuracy: \d\.\d{4} - val_loss: \d\.\d{4} - val_accuracy: \d\.\d{4}\n/,
    )
    expect(await printed({ verbose: 1, style: '2.0.8' })).toMatch(/40\/40 \[={30}\] - \d+s - loss: /)
  })
  test('callbacks come in order and may stop training', async () => {
    const { x, y } = corners(30)
    const model = classifier()
    const told: string[] = []
    const callback: Callback = {
      onTrainBegin: ({ epochs, steps, samples }) => void told.push(`train ${epochs} ${steps} ${samples}`),
      onEpochBegin: (epoch) => void told.push(`epoch ${epoch}`),
      onBatchBegin: (batch) => void told.push(`batch ${batch}`),
      onBatchEnd: async (batch, logs) => {
        await Promise.resolve()
        told.push(`done ${batch} ${Object.keys(logs).join()}`)
      },
      onEpochEnd: (epoch, logs) => {
        told.push(`end ${epoch} ${Object.keys(logs).join()}`)
        if (epoch === 1) model.stopTraining = true
      },
      onTrainEnd: () => void told.push('over'),
    }
    const history = await model.fit(x, y, { epochs: 5, batchSize: 20, callbacks: [callback], ...quiet })
    const epoch = (e: number): string[] => [
      `epoch ${e}`,
      'batch 0',
      'done 0 loss,accuracy',
      'batch 1',
      'done 1 loss,accuracy',
      `end ${e} loss,accuracy`,
    ]
    expect(told).toEqual(['train 5 2 30', ...epoch(0), ...epoch(1), 'over'])
    expect(history.epoch).toEqual([0, 1])
    model.dispose()
  })
  test('the host gets turns, even between short epochs', async () => {
    const { x, y } = corners(20)
    let turns = 0
    const timer = setInterval(() => turns++, 0)
    const atEpoch: number[] = []
    const onEpochEnd = (): void => {
      atEpoch.push(turns)
      const until = performance.now() + 60
      while (performance.now() < until);
    }
    await classifier().fit(x, y, { epochs: 4, callbacks: [{ onEpochEnd }], ...quiet })
    clearInterval(timer)
    for (const epoch of [1, 2, 3]) expect(atEpoch[epoch]).toBeGreaterThan(atEpoch[epoch - 1])
  })

  test('validationFreq, initialEpoch', async () => {
    const { x, y } = corners(30)
    const model = classifier()
    const history = await model.fit(x, y, { epochs: 6, initialEpoch: 2, validationSplit: 0.5, validationFreq: 2, ...quiet })
    expect(history.epoch).toEqual([2, 3, 4, 5])
    expect(history.history.val_loss.length).toBe(2)
    model.dispose()
  })
})

describe('messages', () => {
  const { x, y } = corners(12)
  test('not compiled, not built', async () => {
    const model = new Sequential([dense(3, { inputShape: [2] })], { seed: 1 })
    await expect(model.fit(x, y)).rejects.toThrow(/call compile\(\{ optimizer, loss \}\)/)
    expect(() => new Sequential([dense(3)]).build()).toThrow(/input shape is not known/)
    await expect(new Sequential().fit(x, y)).rejects.toThrow(/no layers|input shape/)
    model.dispose()
  })
  test('a missing batch axis, wrong sizes, wrong counts', async () => {
    const model = classifier()
    await expect(model.predict([1, 2])).rejects.toThrow(
      /predict: x: the data have shape \[\?\], but the model "sequential_1" takes \[\?, 2\]\. A batch axis is missing: for one sample use x\.expandDims\(0\)/,
    )
    await expect(model.predict([])).rejects.toThrow(/predict: x: there are no samples in it/)
    await expect(new Sequential([dense(1)]).predict([])).rejects.toThrow(/predict: x: there are no samples in it/)
    expect(() => model.apply(tensor([1, 2]))).toThrow(/batch axis is missing/)
    await expect(model.fit([[1, 2, 3]], [[1, 0, 0]], quiet)).rejects.toThrow(
      /have shape \[\?, 3\], but the model "sequential_1" takes \[\?, 2\]/,
    )
    await expect(model.fit({ shape: [4, 1, 2], data: new Float32Array(8) }, y, quiet)).rejects.toThrow(/reshape the data to \[-1, 2\]/)
    await expect(model.fit(x, { shape: [11, 3], data: new Float32Array(33) }, quiet)).rejects.toThrow(
      /fit: y: has 11 samples, but x has 12/,
    )
    await expect(model.fit({ shape: [3, 2], data: new Float32Array(5) }, y, quiet)).rejects.toThrow(
      /5 values do not fill its shape \[3, 2\]/,
    )
    await expect(model.fit([[1, 2], [3]] as never, y, quiet)).rejects.toThrow(/nested arrays must be regular/)
    await expect(model.fit('x' as never, y, quiet)).rejects.toThrow(/expected a tensor, an object \{ data, shape \}/)
    model.dispose()
  })
  test('targets that do not fit the loss', async () => {
    const model = classifier()
    await expect(model.fit(x, { shape: [12], data: new Float32Array(12) }, quiet)).rejects.toThrow(
      /class numbers, use sparseCategoricalCrossentropy/,
    )
    model.compile({ optimizer: 'sgd', loss: 'sparse_categorical_crossentropy' })
    await expect(
      model.fit(
        x,
        Array.from({ length: 12 }, (_, i) => i % 4),
        quiet,
      ),
    ).rejects.toThrow(/Label 3 at position 3 is not a class number: .* 3 classes/)
    await expect(model.fit(x, y, quiet)).rejects.toThrow(/not a class number|one class number/)
    model.dispose()
  })
  test('a loss that does not depend on the model', async () => {
    const model = classifier()
    model.compile({ optimizer: 'sgd', loss: (t, p) => p.argMax().cast('float32').sub(t.argMax().cast('float32')).square() })
    const before = memory()
    await expect(model.fit(x, y, quiet)).rejects.toThrow(
      /does not depend on parameter "dense_1\/kernel".*The path ends at op "argMax", which has no derivative/s,
    )
    expect(memory(), 'a step that fails leaves nothing behind').toEqual(before)
    model.dispose()
  })
  test('a NaN is found at the op and layer that made it', async () => {
    debug({ nonFinite: true })
    const model = classifier()
    await expect(model.fit({ shape: [1, 2], data: Float32Array.of(Number.NaN, 1) }, [[1, 0, 0]], quiet)).rejects.toThrow(
      /element 0 of its output .* is NaN/,
    )
    model.dispose()
    const bad = new Sequential([dense(2, { inputShape: [2] }), activation((t) => t.sub(1e6).log())], { seed: 1 })
    expect(() => bad.apply(tensor([[1, 2]]))).toThrow(
      /log: element 0 of its output \[1, 2\] is NaN\.\n {2}input 0: float32 \[1, 2\] from -[\d.]+ to -[\d.]+\n {2}What led there:\n {4}dense_\d\/affine .*\n {4}activation_1\/sub .*\n {2}in layer "activation_1" \(Activation/,
    )
    bad.dispose()
  })
  test('bad options', async () => {
    const model = classifier()
    await expect(model.fit(x, y, { batchSize: 0 })).rejects.toThrow(/batchSize must be a whole number, at least 1, got 0/)
    await expect(model.predict([[1, 2]], { batchSize: 0 })).rejects.toThrow(/predict: batchSize must be a whole number, at least 1, got 0/)
    expect(() => batches([[1]], [[1]], { batchSize: 0 }).next()).toThrow(/batches: batchSize must be a whole number, at least 1, got 0/)
    await expect(model.fit(x, y, { validationSplit: 1 })).rejects.toThrow(/validationSplit must be a number from 0 and below 1, got 1/)
    model.compile({ optimizer: 'adam', loss: 'mse' })
    await model.fit(x, y, { verbose: 0 })
    const { steps } = model.optimizer
    expect(() => model.compile({ optimizer: 'adamm' as never, loss: 'mse' })).toThrow(
      /There is no optimizer "adamm"\. Did you mean "adam"\?/,
    )
    expect(() => model.compile({ optimizer: 'adam', loss: 'mean_squared' as never })).toThrow(/There is no loss "mean_squared"/)
    expect([model.optimizer.className, model.optimizer.steps], 'what was compiled before stays').toEqual(['Adam', steps])
    model.dispose()
  })
  test('options that there are not, in either spelling, and arguments in place of options', async () => {
    const model = classifier()
    const before = await model.getWeights()
    const refused = (run: () => Promise<unknown>, message: RegExp): Promise<void> => expect(run()).rejects.toThrow(message)
    const fit =
      (...rest: unknown[]) =>
      (): Promise<unknown> =>
        (model.fit as (...args: unknown[]) => Promise<unknown>)(x, y, ...rest)
    await refused(
      fit({ batch_size: 10, epoch: 5 }),
      /^fit: there is no option "epoch"\. Did you mean "epochs"\? Options: batchSize, epochs/,
    )
    await refused(fit({ batch_size: 4, batchSize: 4 }), /^fit: "batchSize" is given twice, in both spellings/)
    await refused(fit(32, 10), /^fit: expected an object of options, got 32\. Write fit\(x, y, \{ batchSize: 32, epochs: 10 \}\)/)
    await refused(
      fit({ batchSize: '32' }),
      /^fit: batchSize must be a whole number, at least 1, got text "32"\. Convert it first: Number\("32"\)/,
    )
    await refused(fit({ validation_split: '0.2' }), /^fit: validation_split must be a number from 0 and below 1, got text "0\.2"/)
    await refused(
      fit({ callbacks: [{ onEpochEnds() {} }] }),
      /callbacks\[0\]: there is no option "onEpochEnds"\. Did you mean "onEpochEnd"\?/,
    )
    await refused(
      () => model.predict(x, 32 as never),
      /^predict: expected an object of options, got 32\. Write predict\(x, \{ batchSize: 32 \}\)/,
    )
    await refused(() => model.predictClasses(x, { steps: 1 } as never), /^predictClasses: there is no option "steps"\. Options: batchSize/)
    await refused(() => model.evaluate(x, y, { classWeight: {} } as never), /^evaluate: there is no option "classWeight"/)
    await refused(
      () => model.trainOnBatch(x, y, [1, 2] as never),
      /^trainOnBatch: expected .*Write trainOnBatch\(x, y, \{ sampleWeight \}\)/,
    )
    await refused(() => model.fit(x as never), /^fit: the targets y are missing: fit\(x, y\)/)
    await refused(() => model.fit([[1, 2]] as never, { epochs: 1 }), /^fit: the targets y are missing/)
    await refused(
      () => model.fit([[x, y]] as never, { batchSize: 4 }),
      /^fit: batchSize goes with arrays; an iterable gives batches as they are/,
    )
    await refused(() => model.evaluate(x, y, { steps: 2 }), /^evaluate: steps goes with an iterable/)
    await refused(fit({ validationSplit: 0.2, validationSteps: 2 }), /^fit: validationSteps goes with an iterable/)
    expect(() => batches(x, y, 32 as never)).toThrow(/^batches: expected .*Write batches\(x, y, \{ batchSize: 128 \}\)/)
    expect(() => batches(x, y, { order: [0, 12] })).toThrow(
      /^batches: order\[1\] is 12, but places of samples must be whole numbers from 0 to 11/,
    )
    expect(() => batches(x, y, { backend: 'wasm' as never })).toThrow(
      /^batches: backend must be a backend, such as await getBackend\('wasm'\), got text/,
    )
    expect(() => model.getLayer(0 as never)).toThrow(
      /getLayer: expected the name of a layer, got 0\. By its place it is model\.layers\[0\]/,
    )
    expect(await model.getWeights()).toEqual(before)
    model.dispose()
  })
  test('a split that leaves nothing on one side', async () => {
    const model = classifier()
    const one = { shape: [1, 2], data: new Float32Array(2) }
    await expect(model.fit(one, [[1, 0, 0]], { validationSplit: 0.5, ...quiet })).rejects.toThrow(
      /fit: validationSplit 0\.5 of 1 sample leaves none to train on/,
    )
    await expect(model.fit(x, y, { validationSplit: 1e-17, ...quiet })).rejects.toThrow(/of 12 samples leaves none for validation/)
    model.dispose()
  })
  test('class weights: for classes that there are, and numbers', async () => {
    const model = classifier()
    const fit = (classWeight: unknown) => (): Promise<unknown> => model.fit(x, y, { classWeight: classWeight as never, ...quiet })
    for (const [given, message] of [
      [{ 0: 1, 1: 1, 2: 1, 3: 5 }, /^fit: classWeight: there is no class 3: the output has 3 classes, 0 to 2/],
      [{ 0: 1, 1: 1, 2: 1, [-1]: 5 }, /there is no class -1/],
      [{ 0: 1, 1: 1, 2: '5' }, /^fit: classWeight: the factor of class 2 must be a number, got text "5"/],
      [{ 0: 1, 1: Number.NaN, 2: 1 }, /the factor of class 1 must be a number, got NaN/],
      [{ cat: 1, dog: 2 }, /classes are whole numbers, got text "cat"/],
      [[1, 5, 1], /expected a factor for each class, \{ 0: 1, 1: 5 \}, got an array of 3/],
      [new Map([[0, 1]]), /expected a factor for each class, .*got a Map/],
    ] as const) {
      await expect(fit(given)()).rejects.toThrow(message)
    }
    await fit({ 0: 1, 1: 2, 2: 3 })()
    model.dispose()
  })
  test('what fails in a step says which batch it was', async () => {
    const model = classifier()
    model.compile({ optimizer: 'sgd', loss: (t: Tensor, p: Tensor) => t.sub(p).square() })
    await expect(model.fit(x, { shape: [12, 2], data: new Float32Array(24) }, quiet)).rejects.toThrow(/in fit, batch 1 of epoch 1/)
    await expect(model.evaluate(x, { shape: [12, 2], data: new Float32Array(24) })).rejects.toThrow(/in evaluate, batch 1/)
    model.dispose()
  })
})

describe('targets of a wrong shape are told before anything is trained', () => {
  const network = (): Sequential =>
    new Sequential([dense(3, { inputShape: [2] }), batchNormalization(), dense(2, { activation: 'softmax' })], { seed: 1 })
  const x = [
    [1, 2],
    [3, 4],
    [5, 6],
  ]
  const oneHot = [
    [1, 0],
    [0, 1],
    [1, 0],
  ]
  const tooWide = [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ]
  test.each<[string, (model: Sequential) => Promise<unknown>]>([
    ['fit: y', (model) => model.fit(x, tooWide, quiet)],
    ['fit: validationData y', (model) => model.fit(x, oneHot, { ...quiet, validationData: [x, tooWide] })],
    ['trainOnBatch: y', (model) => model.trainOnBatch(x, tooWide)],
  ])('%s', async (where, run) => {
    const model = network()
    model.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy' })
    await model.evaluate(x, oneHot) // builds it
    const before = await model.getWeights()
    await expect(run(model)).rejects.toThrow(new RegExp(`targets and predictions have different shapes[^]*in ${where}`))
    expect(await model.getWeights()).toEqual(before) // including the averages of batch normalisation
  })
  test('a function of the user is called for the batches alone', async () => {
    const model = network()
    let calls = 0
    const loss = (t: Tensor, p: Tensor): Tensor => {
      calls++
      return t.sub(p).square()
    }
    model.compile({ optimizer: 'sgd', loss })
    await model.fit(x, oneHot, { ...quiet, epochs: 2, batchSize: 2 })
    expect(calls).toBe(4)
  })
})
