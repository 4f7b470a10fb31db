/** Classes of Keras 3 that are not read, and what to do in place of each. Errors say it, and so does the table in the README. */

interface Refused {
  /** The classes, one word each. */
  readonly classes: string
  /** A sentence. */
  readonly advice: string
}

const ownLayer = 'Write it as a layer class with a static fromConfig, and pass customObjects or registerLayer it.'
const ownStep = 'Write the step as a layer class with a static fromConfig in both programs, or save the model without it.'

/** Layers. Classes that are in no row are not Keras'. */
export const refusedLayers: readonly Refused[] = [
  {
    classes:
      'AugMix CutMix MixUp RandAugment RandomColorDegeneration RandomColorJitter RandomElasticTransform RandomErasing RandomGaussianBlur RandomGrayscale RandomHue RandomInvert RandomPerspective RandomPosterization RandomSaturation RandomSharpness RandomShear',
    advice:
      'It acts in training alone. To predict, let the input pass: customObjects: { [className]: class extends Identity { static fromConfig({ name }) { return new Identity({ name }) } } }.',
  },
  {
    classes:
      'AutoContrast ContrastLimitedAdaptiveHistogramEqualization Equalization Solarization HashedCrossing MaxNumBoundingBoxes MelSpectrogram STFTSpectrogram',
    advice: 'Prepare the data before the model, and save the model without it.',
  },
  {
    classes: 'TextVectorization StringLookup Hashing',
    advice: 'It is read in front of a model, in a `.keras` file. Elsewhere apply it to the data, before the model.',
  },
  {
    classes: 'Lambda',
    advice:
      'Its function is Python’s code. Write it with operations on tensors (x * 2, keras.ops.mean(x, axis=1)), which files hold, or as a layer class of the same name in customObjects.',
  },
  { classes: 'Pipeline', advice: 'Put its layers into the model one by one.' },
  {
    classes: 'FlaxLayer JaxLayer TFSMLayer TorchModuleWrapper',
    advice: 'It holds a model of another library. Build that model of layers.',
  },
  { classes: 'TernaryDense Wrapper Layer', advice: ownLayer },
]

/** Operations. */
export const refusedOperations: readonly Refused[] = [
  {
    classes: 'Map Scan AssociativeScan Cond Switch WhileLoop ForiLoop VectorizedMap JVP',
    advice: `It holds a function, which files do not. ${ownStep}`,
  },
  { classes: 'Unique Nonzero Histogram Bincount', advice: `The size of its result depends on the data. ${ownStep}` },
  {
    classes: 'CTCLoss CTCDecode BinaryCrossentropy CategoricalCrossentropy SparseCategoricalCrossentropy PSNR SSIM InTopK',
    advice: 'Give it to compile, as a loss or a metric.',
  },
  {
    classes: 'Conv DepthwiseConv SeparableConv ConvTranspose BatchNorm AdaptiveMaxPool AdaptiveAveragePool Fold Unfold',
    advice: 'Use the layer for it, which keeps its kernel as a weight.',
  },
  {
    classes:
      'View ViewAsComplex ViewAsReal Real Imag Conj Conjugate Angle Polar FFT FFT2 IFFT2 RFFT IRFFT STFT ISTFT ExtractSequences BitwiseAnd BitwiseInvert BitwiseNot BitwiseOr BitwiseXor BitwiseLeftShift LeftShift BitwiseRightShift RightShift Gcd Lcm SaturateCast',
    advice: 'Compute it before the model: its numbers are complex, or whole numbers of other sizes.',
  },
  { classes: 'Slice', advice: 'Write x[:, a:b].' },
  { classes: 'Hsplit Vsplit Dsplit', advice: 'Write keras.ops.split with an axis.' },
  { classes: 'Dstack ColumnStack', advice: 'Write keras.ops.concatenate with an axis.' },
  { classes: 'Outer Inner Vdot Kron Cross CDist Correlate', advice: 'Write keras.ops.einsum.' },
  { classes: 'MultiHot Digitize SearchSorted', advice: 'Use the layer for it: CategoryEncoding, Discretization.' },
  { classes: 'Select Heaviside Fmax Fmin', advice: 'Write keras.ops.where.' },
  {
    classes:
      'AffineTransform ElasticTransform GaussianBlur HSVToRGB MapCoordinates PerspectiveTransform ReconstructPatches RGBToHSV Rot90 ScaleAndTranslate SobelEdges',
    advice: 'Prepare the images before the model, and save the model without it.',
  },
  {
    classes: 'Arange Array Full Geomspace Linspace Logspace Meshgrid Vander EmptyLike Ndim Size UnravelIndex Diag Diagflat',
    advice: 'Make its numbers in Python: a constant of the model is in the file.',
  },
  {
    classes:
      'AllClose Argpartition Cholesky CholeskyInverse Corrcoef Det Eig Eigh Erfinv Fmod Gammainc I0 Inv IsIn Isclose Isneginf Isposinf Isreal Ldexp Logaddexp2 Logdet Lstsq LuFactor MatrixPower MatrixRank Nanargmax Nanargmin Nancumprod Nancumsum Nanmax Nanmean Nanmedian Nanmin Nanpercentile Nanprod Nanquantile Nanstd Nansum Nanvar Nextafter Percentile Pinv Qr Quantile Scatter ScatterUpdate SegmentMax SegmentMin SegmentProd SegmentReduction SegmentSum Signbit Sinc SliceUpdate Slogdet Solve SolveTriangular SVD Trapezoid',
    advice: ownStep,
  },
]

const adviceIn = (rows: readonly Refused[], className: string): string | undefined =>
  rows.find(({ classes }) => classes.split(' ').includes(className))?.advice

/** The advice for a layer that is not read. */
export const adviceForLayer = (className: string): string =>
  adviceIn(refusedLayers, className)?.replace('[className]', className) ??
  `Write it as a class with a static fromConfig and pass customObjects: { ${/^\w+$/.test(className) ? className : `'${className}'`} }, or registerLayer it.`

/** The advice for an operation that is not read. */
export const adviceForOperation = (className: string): string => adviceIn(refusedOperations, className) ?? ownStep

/** Whether Keras has an operation of that name, which is not read. */
export const isRefusedOperation = (className: string): boolean => adviceIn(refusedOperations, className) !== undefined
