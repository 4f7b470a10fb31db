/** The golden vectors of pooling, padding, cropping and upsampling of volumes, and of `keepdims`. */
import { testLayerCases } from './wave2-layers.js'

testLayerCases('wave2/pool3d')
