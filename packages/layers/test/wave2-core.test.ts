import { testLayerCases } from './wave2-layers.js'

testLayerCases('wave2/layers_core', { only: ({ layer }) => /TimeDist|Embedding|PReLU|ELU/.test(layer) && layer !== 'ReversibleEmbedding' })
