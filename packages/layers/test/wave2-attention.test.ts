import { tensorOf } from '../../core/test/golden.js'
import { testLayerCases } from './wave2-layers.js'

testLayerCases('wave2/layers_attention', {
  // In Keras these are arguments of the call, so a config has them not.
  options: ({ params: { useCausalMask = false, returnAttentionScores = false } }) => ({ useCausalMask, returnAttentionScores }),
  notOptions: ['useCausalMask', 'returnAttentionScores'],
  call: (layer, [query, value, key], masks, { inputs }) => {
    const mask = inputs.attention_mask && tensorOf(inputs.attention_mask, query.backend, query.dtype)
    const xs = mask ? [query, value, key ?? value, mask] : key ? [query, value, key] : [query, value]
    return layer.callAll(xs, { training: false, masks })
  },
})
