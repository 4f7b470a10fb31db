/** The golden vectors of Keras 3's normalisation layers. */
import { testLayerCases } from './wave2-layers.js'

testLayerCases('wave2/norm', { only: ({ layer }) => layer !== 'SpectralNormalization' })
