/** The golden vectors of adaptive pooling, and of the recurrent layer of volumes. */
import { testLayerCases } from './wave2-layers.js'

testLayerCases('wave2/adaptive')
