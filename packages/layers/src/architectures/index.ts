/** Networks for images by name, with new weights. */
export type { ArchitectureOptions, WidthOptions } from './common.js'
export { type EfficientNetOptions, efficientNetB0 } from './efficient-net.js'
export { mobileNetV2 } from './mobile-net-v2.js'
export { type MobileNetV3Options, mobileNetV3Large, mobileNetV3Small } from './mobile-net-v3.js'
export { resNet50 } from './res-net.js'
