"""The networks of networks.ts as PyTorch modules."""

import numpy as np
import torch
from torch import nn


def channels_first(shape):
    """The shape of a sample, [h, w, c] or [features], in PyTorch's order. The images have one channel, so no values move."""
    return [shape[2], shape[0], shape[1]] if len(shape) == 3 else list(shape)


class LastState(nn.Module):
    """The last output of a recurrent module. The module has two biases. The second stays 0, or both together would move twice as far."""

    def __init__(self, module):
        super().__init__()
        self.module = module
        nn.init.xavier_uniform_(module.weight_ih_l0)
        nn.init.xavier_uniform_(module.weight_hh_l0)
        nn.init.zeros_(module.bias_ih_l0)
        nn.init.zeros_(module.bias_hh_l0).requires_grad_(False)
        if isinstance(module, nn.LSTM):  # the forget gate starts open
            units = module.hidden_size
            nn.init.ones_(module.bias_ih_l0[units : 2 * units])

    def forward(self, x):
        outputs, _ = self.module(x)
        return outputs[:, -1]


class DroppedLSTM(nn.Module):
    """An LSTM with dropout of inputs and states by masks that are the same for the whole sequence. nn.LSTM does not have that."""

    def __init__(self, inputs, layer, backwards=False):
        super().__init__()
        units = layer["units"]
        self.units, self.backwards = units, backwards
        self.dropout, self.recurrent_dropout = layer["dropout"], layer["recurrentDropout"]
        self.kernel = nn.Parameter(nn.init.xavier_uniform_(torch.empty(inputs, 4 * units)))
        self.recurrent = nn.Parameter(nn.init.xavier_uniform_(torch.empty(units, 4 * units)))
        self.bias = nn.Parameter(torch.zeros(4 * units))
        nn.init.ones_(self.bias[units : 2 * units])

    def forward(self, x):
        masked = x * nn.functional.dropout(torch.ones(x.shape[0], 1, x.shape[2]), self.dropout)
        mask = nn.functional.dropout(torch.ones(x.shape[0], self.units), self.recurrent_dropout)
        steps = (torch.matmul(masked, self.kernel) + self.bias).unbind(1)  # of all steps at once
        h = c = torch.zeros(x.shape[0], self.units)
        for z in reversed(steps) if self.backwards else steps:
            i, f, g, o = torch.addmm(z, h * mask, self.recurrent).chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        return h


class SideBySide(nn.Module):
    """Applies several modules to the same input and puts their results side by side."""

    def __init__(self, *modules):
        super().__init__()
        self.parts = nn.ModuleList(modules)

    def forward(self, x):
        return torch.cat([part(x) for part in self.parts], 1)


class ChannelsFirst(nn.Module):
    """Turns [n, t, c] into [n, c, t]."""

    def forward(self, x):
        return x.transpose(1, 2)


class GlobalMax(nn.Module):
    def forward(self, x):
        return x.amax(2)


def recurrent(layer, inputs):
    if layer["type"] == "simpleRnn":
        return LastState(nn.RNN(inputs, layer["units"], batch_first=True))
    if layer["dropout"] or layer["recurrentDropout"] or layer["bidirectional"]:
        directions = (False, True) if layer["bidirectional"] else (False,)
        return SideBySide(*(DroppedLSTM(inputs, layer, backwards) for backwards in directions))
    return LastState(nn.LSTM(inputs, layer["units"], batch_first=True))


def network(workload):
    layers, shape = [], channels_first(workload["inputShape"])
    steps_first = len(shape) == 2  # whether the shape is [t, c], as embeddings and recurrent layers have it
    for layer in workload["layers"]:
        kind, weighted = layer["type"], None
        if kind in ("conv1d", "maxPool1d", "globalMaxPool1d") and steps_first:
            layers.append(ChannelsFirst())
            shape, steps_first = shape[::-1], False
        if kind == "dense":
            weighted = nn.Linear(shape[0], layer["units"])
            shape = [layer["units"]]
        elif kind == "conv":
            size, same = layer["size"], layer["padding"] == "same"
            weighted = nn.Conv2d(shape[0], layer["filters"], size, padding="same" if same else 0)
            shape = [layer["filters"]] + [n if same else n - size + 1 for n in shape[1:]]
        elif kind == "maxPool":
            layers.append(nn.MaxPool2d(layer["size"]))
            shape = [shape[0]] + [n // layer["size"] for n in shape[1:]]
        elif kind == "dropout":
            layers.append(nn.Dropout(layer["rate"]))
        elif kind == "flatten":
            layers.append(nn.Flatten())
            shape = [int(np.prod(shape))]
        elif kind == "embedding":
            layers.append(nn.Embedding(layer["vocabulary"], layer["size"]))
            nn.init.uniform_(layers[-1].weight, -0.05, 0.05)
            shape, steps_first = shape + [layer["size"]], True
        elif kind in ("lstm", "simpleRnn"):
            layers.append(recurrent(layer, shape[1]))
            shape = [layer["units"] * (2 if layer.get("bidirectional") else 1)]
        elif kind == "conv1d":
            weighted = nn.Conv1d(shape[0], layer["filters"], layer["size"])
            shape = [layer["filters"], shape[1] - layer["size"] + 1]
        elif kind == "maxPool1d":
            layers.append(nn.MaxPool1d(layer["size"]))
            shape = [shape[0], shape[1] // layer["size"]]
        elif kind == "globalMaxPool1d":
            layers.append(GlobalMax())
            shape = shape[:1]
        else:
            raise ValueError(f'There is no layer of type "{kind}".')
        if weighted:
            nn.init.xavier_uniform_(weighted.weight)  # Glorot
            nn.init.zeros_(weighted.bias)
            layers.append(weighted)
            if layer["activation"] == "relu":
                layers.append(nn.ReLU())
    return nn.Sequential(*layers)
