import { testLayerCases } from './wave2-layers.js'

testLayerCases('wave2/layers_core', {
  only: ({ layer }) =>
    /TimeDist|Embedding|LU|Softmax|Activation$|Dense$/.test(layer) && layer !== 'ReversibleEmbedding' && layer !== 'EinsumDense',
})
