/** The checks of all exercises, by the id of the exercise. */
import type { Checks } from './case.js'
import { ofMul, ofRelu, ofSoftplus, ofTanh } from './elementwise.js'
import { ofAttention, ofLstm } from './networks.js'
import { ofConv, ofMatMul, ofMaxPool } from './products.js'
import { ofCrossEntropy, ofLayerNorm, ofSoftmax } from './rows.js'
import { ofAdd, ofGather, ofMean, ofTranspose } from './shapes.js'

export const checks: Readonly<Record<string, Checks>> = {
  tanh: ofTanh,
  mul: ofMul,
  add: ofAdd,
  mean: ofMean,
  matmul: ofMatMul,
  transpose: ofTranspose,
  relu: ofRelu,
  softplus: ofSoftplus,
  softmax: ofSoftmax,
  'softmax-cross-entropy': ofCrossEntropy,
  gather: ofGather,
  'max-pooling': ofMaxPool,
  convolution: ofConv,
  'layer-normalisation': ofLayerNorm,
  attention: ofAttention,
  'lstm-cell': ofLstm,
}
