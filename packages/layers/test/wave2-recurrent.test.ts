import { testLayerCases } from './wave2-layers.js'

testLayerCases('wave2/layers_recurrent', {
  defaults: ({ layer, params: { inner, returnSequences = false } }) => ({
    ...((inner ?? layer) === 'GRU' && { resetAfter: true }),
    ...(layer === 'Bidirectional' && { zeroOutputForMask: returnSequences }),
  }),
})
