import { testLayerCases } from './wave2-layers.js'

testLayerCases('wave2/norm', { only: ({ layer }) => layer === 'LayerNormalization' || layer === 'BatchNormalization' })
