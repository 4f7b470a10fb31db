"""The generator of random.ts in NumPy."""

import numpy as np


def uniforms(seed, count):
    """mulberry32 as in random.ts. Its state is a counter, so all values can be made at once."""
    with np.errstate(over="ignore"):
        state = np.uint32(seed) + np.arange(1, count + 1, dtype=np.uint32) * np.uint32(0x6D2B79F5)
        t = (state ^ (state >> np.uint32(15))) * (state | np.uint32(1))
        t ^= t + (t ^ (t >> np.uint32(7))) * (t | np.uint32(61))
        return (t ^ (t >> np.uint32(14))) / 2.0**32


def signed_uniforms(seed, *shape):
    """Float32 values in [-1, 1)."""
    return (2 * uniforms(seed, int(np.prod(shape))) - 1).astype(np.float32).reshape(shape)
