/** Sections of a record, made of trained models and host arrays. The public names and nothing else. */
export { type ActivationOptions, activationSections } from './activations.js'
export { type ConfusionOptions, confusionSection, type MistakeOptions, wrongSection } from './confusion.js'
export { type FilterOptions, filtersSection } from './filters.js'
export { type GateOptions, gateSections, type LstmGates, lstmGates } from './gates.js'
export { type HostData, type ImageOptions, type ImagesOptions, imagesSection } from './images.js'
export { type NeighbourOptions, neighboursSection } from './neighbours.js'
export { type ReadingOptions, type Readings, type ReadOptions, readings, readingsOf } from './readings.js'
export { type AxisOptions, type ForecastOptions, forecastSection, type SeriesOptions, seriesSection } from './series.js'
