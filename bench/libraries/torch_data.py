"""The data of random.ts, made by the same generator."""

import numpy as np
import torch

from random_data import signed_uniforms, uniforms
from torch_networks import channels_first

POOL = 12_000
POOL_VALUES = 10_000_000


def uniform_values(seed, *shape):
    return torch.from_numpy(signed_uniforms(seed, *shape))


def batches_of(workload, seed):
    """The batches of random.ts. The order of draws is the same: those of the sampler, then for each sample its target, its inputs and its label."""
    batch, shape, layers = workload["batch"], workload["inputShape"], workload["layers"]
    inputs, outputs = int(np.prod(shape)), layers[-1]["units"]
    vocabulary = layers[0]["vocabulary"] if layers[0]["type"] == "embedding" else None
    measured, categorical = workload["loss"] == "meanAbsoluteError", workload["loss"] == "categoricalCrossentropy"
    classes = outputs if categorical else 2
    count = max(1, -(-min(POOL, POOL_VALUES // inputs) // batch))
    before = 0 if vocabulary else shape[-1] if measured else classes * inputs
    draws = uniforms(seed, before + count * batch * (inputs + 3))
    at = before
    if measured:
        strengths = np.tile(2 * draws[:before] - 1, inputs // before)
    elif not vocabulary:
        lit = [np.flatnonzero(draws[c * inputs : (c + 1) * inputs] < 0.2) for c in range(classes)]
    target_of = (lambda u: 2 * u - 1) if measured else (lambda u: int(u * classes))
    batches = []
    for _ in range(count):
        x = np.zeros((batch, inputs), np.int64 if vocabulary else np.float32)
        y = np.zeros(batch, np.int64 if categorical else np.float32)
        for sample in range(batch):
            target = target_of(draws[at])
            at += 1
            if vocabulary:
                u = draws[at : at + inputs]
                word = (u * u * u * vocabulary).astype(np.int64)
                x[sample] = word - word % 2 + target
                at += inputs
            elif measured:
                x[sample] = 2 * draws[at : at + inputs] - 1 + target * strengths
                at += inputs
            else:
                x[sample, lit[target]] = draws[at : at + len(lit[target])]
                at += len(lit[target])
            anew = draws[at] < 0.2
            at += 1
            y[sample] = target_of(draws[at]) if anew else target
            at += 1 if anew else 0
        y = torch.from_numpy(y)
        batches.append((torch.from_numpy(x.reshape(batch, *channels_first(shape))), y if categorical else y.unsqueeze(1)))
    return batches
