"""The GPT of examples/gpt in PyTorch, on the texts of gpt.ts."""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from random_data import uniforms

BATCHES = 200


class Block(nn.Module):
    def __init__(self, width, heads, layers):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width, bias=False), nn.LayerNorm(width, bias=False)
        calm = 1 / math.sqrt(2 * layers)
        self.attend, self.merge = linear(width, 3 * width), linear(width, width, calm)
        self.expand, self.contract = linear(width, 4 * width), linear(4 * width, width, 2 * calm)

    def forward(self, x):
        batch, time, width = x.shape
        parts = self.attend(self.norm1(x)).split(width, 2)
        query, key, value = (part.view(batch, time, self.heads, -1).transpose(1, 2) for part in parts)
        seen = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.merge(seen.transpose(1, 2).reshape(batch, time, width))
        return x + self.contract(functional.gelu(self.expand(self.norm2(x))))


def linear(inputs, outputs, factor=1):
    """Weights of deviation factor / sqrt(inputs)."""
    layer = nn.Linear(inputs, outputs, bias=False)
    nn.init.normal_(layer.weight, 0, factor / math.sqrt(inputs))
    return layer


def table(rows, width):
    layer = nn.Embedding(rows, width)
    nn.init.normal_(layer.weight, 0, 1 / math.sqrt(width))
    return layer


class Gpt(nn.Module):
    def __init__(self, workload):
        super().__init__()
        width, layers = workload["width"], workload["layers"]
        self.characters, self.positions = table(workload["vocabulary"], width), table(workload["context"], width)
        self.blocks = nn.ModuleList(Block(width, workload["heads"], layers) for _ in range(layers))
        self.norm = nn.LayerNorm(width, bias=False)

    def forward(self, ids):
        x = self.characters(ids) + self.positions.weight[: ids.shape[1]]
        for block in self.blocks:
            x = block(x)
        return functional.linear(self.norm(x), self.characters.weight)


def fix(model):
    """The `waves` of gpt.ts; matrices of linear layers are stored transposed."""
    tables = [(model.characters.weight, False), (model.positions.weight, False)]
    linears = [(getattr(block, name).weight, True) for block in model.blocks for name in ("attend", "merge", "expand", "contract")]
    for index, (weight, turned) in enumerate(tables + linears):
        rows, columns = weight.shape[::-1] if turned else weight.shape
        values = np.sin(index + 3 * np.arange(rows)[:, None] + 5 * np.arange(columns)) * 0.1
        weight.data = torch.from_numpy(np.ascontiguousarray(values.T if turned else values).astype(np.float32))


def texts_of(workload, seed):
    """Those of gpt.ts, with the draws in the same order."""
    batch, context, vocabulary = workload["batch"], workload["context"], workload["vocabulary"]
    draws = uniforms(seed, BATCHES * batch * (context + 1)).reshape(BATCHES, batch, context + 1)
    characters = np.zeros((BATCHES, batch, context + 1), np.int64)
    characters[..., 0] = draws[..., 0] * vocabulary
    for i in range(1, context + 1):
        u = draws[..., i]
        characters[..., i] = np.where(u < 0.2, (u * 5 * vocabulary).astype(np.int64), (characters[..., i - 1] * 3 + 1) % vocabulary)
    ids, following = (torch.from_numpy(np.ascontiguousarray(part)) for part in (characters[..., :-1], characters[..., 1:]))
    return list(zip(ids, following))


def rate_at(step, steps):
    """Up to 0.001 within 100 steps, then half a cosine down to 0.0001."""
    warm = min(100, steps / 10)
    if step < warm:
        return 1e-3 * (step + 1) / (warm + 1)
    return 1e-4 + 9e-4 * (1 + math.cos(math.pi * min(1, (step - warm) / (steps - warm)))) / 2


def train_gpt(workload, seed):
    torch.manual_seed(seed)
    model = Gpt(workload)
    if workload.get("fixedWeights"):
        fix(model)
    texts = texts_of(workload, seed)
    matrices = [parameter for parameter in model.parameters() if parameter.dim() == 2]
    factors = [parameter for parameter in model.parameters() if parameter.dim() == 1]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.1}, {"params": factors, "weight_decay": 0}], betas=(0.9, 0.99), eps=1e-8
    )
    step = 0

    def run(steps):
        nonlocal step
        value = float("nan")
        for _ in range(steps):
            ids, following = texts[step % len(texts)]
            for group in optimizer.param_groups:
                group["lr"] = rate_at(step, workload["steps"])
            step += 1
            optimizer.zero_grad(set_to_none=True)
            loss = functional.cross_entropy(model(ids).flatten(0, 1), following.flatten())
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            value = loss.item()
        return value

    return run
