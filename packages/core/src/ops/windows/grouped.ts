/** Convolutions in groups of channels (Krizhevsky, Sutskever, Hinton 2012; Xie et al.: "ResNeXt", 2017): each group of filters sees one group of channels. */
import { defineComposed } from '../../autodiff/dispatch.js'
import type { Ops, Sample } from '../../autodiff/op.js'
import { sampleWith } from '../../autodiff/samples.js'
import type { Tensor } from '../../tensor/tensor.js'
import { convolve } from './convolution.js'
import { depthwiseConv2d } from './depthwise.js'
import type { WindowOptions } from './window.js'

type GroupedOptions = WindowOptions & { groups: number }

/** Convolves group by group, x [n, .., c] and the filter [.., c/groups, f], and puts the filters together again. */
export function inGroups(x: Tensor, filter: Tensor, groups: number, convolve: (x: Tensor, filter: Tensor) => Tensor, ops: Ops): Tensor {
  const filters = ops.split(filter, groups, -1)
  const parts = ops.split(x, groups, -1).map((part, i) => convolve(part, filters[i]))
  return ops.concat(parts, -1)
}

/** conv2d with at least two groups, without a bias. */
export const groupedConv2d = defineComposed<GroupedOptions>({
  name: 'groupedConv2d',
  compose: ([x, filter], { groups, ...options }, ops) => {
    const [kh, kw, width, filters] = filter.shape
    if (width === 1) return depthwiseConv2d(x, ops.reshape(filter, [kh, kw, groups, filters / groups]), options)
    return inGroups(x, filter, groups, (part, ofPart) => convolve([part, ofPart], options), ops)
  },
  samples: samples(),
})

function samples(): Sample<GroupedOptions>[] {
  return [
    sampleWith({ groups: 2 }, [2, 4, 5, 4], [2, 3, 2, 6]),
    sampleWith({ groups: 3, strides: [2, 1], padding: 'same' }, [1, 5, 4, 6], [3, 2, 2, 3]),
    sampleWith({ groups: 3, dilation: [2, 1] }, [1, 5, 4, 3], [2, 2, 1, 6]),
    sampleWith({ groups: 2 }, [0, 4, 4, 4], [2, 2, 2, 2]),
    sampleWith({ groups: 5, padding: 'same' }, [2, 9, 7, 15], [3, 3, 3, 10]),
  ]
}
