import { testLayerCases } from './wave2-layers.js'

// The file's cases without a layer are losses and metrics under a mask.
testLayerCases('wave2/masks', { only: ({ layer }) => layer !== undefined })
