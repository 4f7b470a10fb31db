/** The golden vectors of convolutions: in groups, depthwise, separable, transposed, in one to three dimensions. */
import { testLayerCases } from './wave2-layers.js'

testLayerCases('wave2/conv_grouped')
testLayerCases('wave2/conv3d')
testLayerCases('wave2/conv_transpose')
