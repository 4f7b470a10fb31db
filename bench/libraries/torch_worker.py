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
    """The batches of random.ts, draw by draw: classes, then per sample its class, its lit inputs, and its label."""
    batch, inputs = workload["batch"], int(np.prod(workload["inputShape"]))
    classes = workload["layers"][-1]["units"]
    count = max(1, -(-POOL // batch))
    draws = uniforms(seed, classes * inputs + count * batch * (inputs + 3))
    lit = [np.flatnonzero(draws[c * inputs : (c + 1) * inputs] < 0.2) for c in range(classes)]
    at = classes * inputs
    batches = []
    for _ in range(count):
        x = np.zeros((batch, inputs), np.float32)
        y = np.zeros(batch, np.int64)
        for sample in range(batch):
            kind = int(draws[at] * classes)
            at += 1
            x[sample, lit[kind]] = draws[at : at + len(lit[kind])]
            at += len(lit[kind])
            anew = draws[at] < 0.2
            at += 1
            y[sample] = int(draws[at] * classes) if anew else kind
            at += 1 if anew else 0
        batches.append((torch.from_numpy(x.reshape(batch, *channels_first(workload["inputShape"]))), torch.from_numpy(y)))
    return batches


def train(workload, seed):
    torch.manual_seed(seed)
    layers, shape = [], channels_first(workload["inputShape"])
    for layer in workload["layers"]:
        kind, weighted = layer["type"], None
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
        else:
            raise ValueError(f'There is no layer of type "{kind}".')
        if weighted:
            nn.init.xavier_uniform_(weighted.weight)  # Glorot
            nn.init.zeros_(weighted.bias)
            layers.append(weighted)
            if layer["activation"] == "relu":
                layers.append(nn.ReLU())
    model = nn.Sequential(*layers)
    loss_of = nn.CrossEntropyLoss()  # softmax included
    if workload["optimizer"] == "adam":
        optimizer = torch.optim.Adam(model.parameters(), lr=0.001, betas=(0.9, 0.999), eps=1e-7)
    elif workload["optimizer"] == "adadelta":
        optimizer = torch.optim.Adadelta(model.parameters(), lr=1, rho=0.95, eps=1e-7)
    else:
        optimizer = torch.optim.RMSprop(model.parameters(), lr=0.001, alpha=0.9, eps=1e-7)
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
