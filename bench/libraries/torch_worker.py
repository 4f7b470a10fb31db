"""PyTorch under test, in the process that python_worker.py describes. torch_data.py makes the data, torch_networks.py the networks.

Usage: python3 torch_worker.py THREADS.
"""

import sys

import torch
from torch import nn

from python_worker import serve
from torch_data import batches_of, uniform_values
from torch_gpt import train_gpt
from torch_networks import network

# These losses contain softmax or sigmoid.
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
    """Adds up the first elements of the last result or results."""

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
    """The same images in the order [n, c, h, w], for which PyTorch is made."""
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


BUILDERS = {"train": train, "gpt": train_gpt, "matMul": product, "conv": convolution, "elementwise": elementwise, "update": update, "dispatch": dispatch}


torch.set_num_threads(int(sys.argv[1]))
serve(BUILDERS)
