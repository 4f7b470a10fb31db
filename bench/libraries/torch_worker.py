"""PyTorch under test: the Python side of worker.ts. Reads requests and writes responses as lines of JSON (adapter.ts has both).

Usage: python3 torch_worker.py THREADS. Time is taken here, around `run` alone. Data come from the same generator as in random.ts.
"""

import json
import resource
import sys
import time

import numpy as np
import torch
from torch import nn

POOL = 12_000
POOL_VALUES = 10_000_000


def uniforms(seed, count):
    """mulberry32 as in random.ts: its state is a counter, so all values can be made at once."""
    with np.errstate(over="ignore"):
        state = np.uint32(seed) + np.arange(1, count + 1, dtype=np.uint32) * np.uint32(0x6D2B79F5)
        t = (state ^ (state >> np.uint32(15))) * (state | np.uint32(1))
        t ^= t + (t ^ (t >> np.uint32(7))) * (t | np.uint32(61))
        return (t ^ (t >> np.uint32(14))) / 2.0**32


def uniform_values(seed, *shape):
    return torch.from_numpy((2 * uniforms(seed, int(np.prod(shape))) - 1).astype(np.float32).reshape(shape))


def channels_first(shape):
    """The shape of a sample, [h, w, c] or [features], in PyTorch's order. The networks' images have one channel: no values move."""
    return [shape[2], shape[0], shape[1]] if len(shape) == 3 else list(shape)


def batches_of(workload, seed):
    """The batches of random.ts, draw by draw: what the sampler draws first, then per sample its target, its inputs, and its label."""
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


class LastState(nn.Module):
    """What a recurrent module gives at the end of the sequence. It has two biases; the second stays 0, or both together would move twice as far."""

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
    """An LSTM whose inputs and states are dropped by masks that stay the same for the whole sequence, which nn.LSTM has not."""

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
    """What several modules make of the same, one beside the other."""

    def __init__(self, *modules):
        super().__init__()
        self.parts = nn.ModuleList(modules)

    def forward(self, x):
        return torch.cat([part(x) for part in self.parts], 1)


class ChannelsFirst(nn.Module):
    """[n, t, c] as [n, c, t]."""

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


# Softmax and sigmoid are part of the loss.
LOSSES = {"categoricalCrossentropy": nn.CrossEntropyLoss, "binaryCrossentropy": nn.BCEWithLogitsLoss, "meanAbsoluteError": nn.L1Loss}


def train(workload, seed):
    torch.manual_seed(seed)
    model = network(workload)
    if workload.get("constantWeights") is not None:
        for weight in model.parameters():
            if weight.dim() > 1:  # biases have one axis
                nn.init.constant_(weight, workload["constantWeights"])
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    loss_of = LOSSES[workload["loss"]]()
    if workload["optimizer"] == "adam":
        optimizer = torch.optim.Adam(parameters, lr=0.001, betas=(0.9, 0.999), eps=1e-7)
    elif workload["optimizer"] == "adadelta":
        optimizer = torch.optim.Adadelta(parameters, lr=1, rho=0.95, eps=1e-7)
    else:
        optimizer = torch.optim.RMSprop(parameters, lr=0.001, alpha=0.9, eps=1e-7)
    batches = batches_of(workload, seed)
    step = 0

    def run(steps):
        nonlocal step
        value = float("nan")
        for _ in range(steps):
            x, y = batches[step % len(batches)]
            step += 1
            optimizer.zero_grad(set_to_none=True)
            loss = loss_of(model(x), y)
            loss.backward()
            optimizer.step()
            value = loss.item()
        return value

    return run


def repeated(work):
    """Of the last result, or results, the first elements are added up."""

    def run(steps):
        for _ in range(steps):
            last = work()
        return sum(x.flatten()[0].item() for x in (last if isinstance(last, tuple) else (last,)))

    return run


def product(workload, seed):
    m, k, n = workload["m"], workload["k"], workload["n"]
    a = uniform_values(seed, k, m).t() if workload["transposeA"] else uniform_values(seed, m, k)
    b = uniform_values(seed + 1, n, k).t() if workload["transposeB"] else uniform_values(seed + 1, k, n)
    return repeated(lambda: torch.matmul(a, b))


def convolution(workload, seed):
    """Images in the order [n, c, h, w], which PyTorch is made for; the same values."""
    batch, (height, width, channels), size = workload["batch"], workload["image"], workload["size"]
    images = lambda values: values.permute(0, 3, 1, 2).contiguous()
    x = images(uniform_values(seed, batch, height, width, channels))
    f = uniform_values(seed + 1, size, size, channels, workload["filters"]).permute(3, 2, 0, 1).contiguous()
    forward = lambda: nn.functional.conv2d(x, f, padding=workload["padding"])
    if not workload["backward"]:
        return repeated(forward)
    leaves = [f.requires_grad_()] + ([] if workload["first"] else [x.requires_grad_()])
    y = forward()
    d_y = images(uniform_values(seed + 2, batch, *y.shape[2:], y.shape[1]))

    def both():
        y = forward()
        return (y.detach(), *torch.autograd.grad(y, leaves, d_y))

    return repeated(both)


def elementwise(workload, seed):
    a, b, op = uniform_values(seed, workload["size"]), uniform_values(seed + 1, workload["size"]), workload["op"]
    if op == "add":
        return repeated(lambda: a + b)
    if op == "log":
        a += 1.5
    function = getattr(torch, op)
    return repeated(lambda: function(a))


def update(workload, seed):
    w, g = uniform_values(seed, workload["size"]), uniform_values(seed + 1, workload["size"])
    w.grad = g
    constants = {"lr": workload["learningRate"], "betas": (0.9, 0.999), "eps": 1e-7}
    try:
        optimizer = torch.optim.Adam([w], fused=True, **constants)
        optimizer.step()
    except (RuntimeError, TypeError, ValueError):  # older ones fuse on GPUs alone
        optimizer = torch.optim.Adam([w], **constants)

    def run(steps):
        for _ in range(steps):
            optimizer.step()
        state = optimizer.state[w]
        return state["exp_avg"][0].item() / (1 - 0.9 ** int(state["step"]))

    return run


def dispatch(workload, seed):
    count = workload["count"]
    if workload["what"] == "add":
        a, b = uniform_values(seed, 10), uniform_values(seed + 1, 10)

        def many():
            for _ in range(count):
                c = a + b
            return c

        return repeated(many)
    x, c = torch.tensor(0.5, requires_grad=True), torch.tensor(1.1)

    def gradients():
        for _ in range(count):
            y = x
            for _ in range(10):
                y = torch.tanh(y * c)
            (g,) = torch.autograd.grad(y, x)
        return g

    return repeated(gradients)


BUILDERS = {"train": train, "matMul": product, "conv": convolution, "elementwise": elementwise, "update": update, "dispatch": dispatch}


def ran(run, steps, chunk):
    """A round in samples of `chunk` steps. There is no probe between them: which were quiet is not known."""
    samples = []
    for done in range(0, steps, chunk):
        count = min(chunk, steps - done)
        start = time.perf_counter()
        value = run(count)
        samples.append({"ms": 1000 * (time.perf_counter() - start), "steps": count})
    return {"type": "ran", "ms": sum(sample["ms"] for sample in samples), "value": value, "samples": samples}


def main():
    torch.set_num_threads(int(sys.argv[1]))
    run = None
    reply = lambda response: print(json.dumps(response), flush=True)
    reply({"type": "ready"})
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["type"] == "prepare":
                run = None
                workload = request["workload"]
                if workload["kind"] not in BUILDERS:
                    raise ValueError(f"torch_worker.py has no workload of kind {workload['kind']}")
                run = BUILDERS[workload["kind"]](workload, request["seed"])
                reply({"type": "ready"})
            elif request["type"] == "memory":
                # Kilobytes on Linux, bytes on macOS.
                unit = 2**20 if sys.platform == "darwin" else 2**10
                reply({"type": "memory", "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit})
            else:
                if run is None:
                    raise RuntimeError("There is no workload to run.")
                reply(ran(run, request["steps"], request["chunk"]))
        except Exception as error:  # told to the parent, which goes on with the others
            reply({"type": "failed", "message": f"{type(error).__name__}: {error}"})


main()
