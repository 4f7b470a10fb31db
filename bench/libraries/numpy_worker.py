"""NumPy under test, in the process that python_worker.py describes: the rows of `operations`, as one writes them with NumPy alone.

Usage: python3 numpy_worker.py THREADS. The threads are set by the environment.
"""

import math

import numpy as np

from python_worker import serve
from random_data import signed_uniforms


def operands_of(workload, seed):
    """operandsOf of operations.ts."""
    made = []
    for i, operand in enumerate(workload["operands"]):
        values = signed_uniforms(seed + i, *operand["shape"])
        if "form" in operand:
            n = len(values)
            values = (values + values.T) / np.float32(2)
            if operand["form"] == "positive":
                values += math.ceil(2 * math.sqrt(n)) * np.eye(n, dtype=np.float32)
        made.append(values)
    return made


def top_k(x, workload):
    """Of equal values the lower position should come first; argpartition does not say so, and there are hardly any."""
    k = workload["k"]
    some = np.argpartition(-x, k, axis=-1)[..., :k]
    order = np.argsort(-np.take_along_axis(x, some, -1), axis=-1, kind="stable")
    indices = np.take_along_axis(some, order, -1)
    return np.take_along_axis(x, indices, -1), indices


def fft(re, im, _):
    x = np.fft.fft(re + np.asarray(1j, dtype=np.complex64 if re.dtype == np.float32 else np.complex128) * im)
    return x.real, x.imag


def mixed(x, axis, to):
    """x with an axis in another size, by linear interpolation between the centres of pixels."""
    size = x.shape[axis]
    at = np.clip((np.arange(to) + 0.5) * size / to - 0.5, 0, size - 1)
    first = np.floor(at).astype(int)
    weight = (at - first).astype(x.dtype).reshape([-1 if i == axis else 1 for i in range(x.ndim)])
    return x.take(first, axis) * (1 - weight) + x.take(np.minimum(first + 1, size - 1), axis) * weight


def resize(x, workload):
    height, width = workload["size"]
    return mixed(mixed(x, 1, height), 2, width)


def attention(q, k, v, _):
    steps, depth = q.shape[1], q.shape[3]
    q, k, v = (x.transpose(0, 2, 1, 3) for x in (q, k, v))
    scores = q @ k.transpose(0, 1, 3, 2) / np.float32(math.sqrt(depth))
    scores = np.where(np.tri(steps, dtype=bool), scores, np.float32(-np.inf))
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return ((weights / weights.sum(axis=-1, keepdims=True)) @ v).transpose(0, 2, 1, 3)


def log_sum_exp(x, _):
    most = x.max(axis=-1, keepdims=True)
    return np.log(np.exp(x - most).sum(axis=-1)) + most[..., 0]


OPERATIONS = {
    "sort": lambda x, _: np.sort(x),
    "argSort": lambda x, _: np.argsort(x, kind="stable"),
    "topK": top_k,
    # np.einsum itself would be a loop in C; with `optimize` it calls a matrix product where there is one.
    "einsum": lambda a, b, workload: np.einsum(workload["equation"], a, b, optimize=True),
    "fft": fft,
    "solve": lambda a, b, _: np.linalg.solve(a, b),
    "inverse": lambda a, _: np.linalg.inv(a),
    "cholesky": lambda a, _: np.linalg.cholesky(a),
    "eigh": lambda a, _: np.linalg.eigh(a),
    "svd": lambda a, _: np.linalg.svd(a),
    "resize": resize,
    "attention": attention,
    "cumSum": lambda x, _: np.cumsum(x, axis=-1),
    "logSumExp": log_sum_exp,
}


def parts_of(result):
    return result if isinstance(result, tuple) else (result,)


def fingerprint(parts, either_sign):
    """fingerprint of operations.ts."""
    print_ = 0.0
    for part in parts:
        x = part.astype(np.float64).ravel()
        x = np.abs(x) if either_sign else x
        length = math.sqrt(x @ x)
        print_ += math.log(length / math.sqrt(x.size)) + float(x @ signed_uniforms(99, x.size)) / length
    return print_


def operation(workload, seed):
    if workload["op"] not in OPERATIONS:
        raise ValueError(f"NumPy has no {workload['op']}")
    call, inputs = OPERATIONS[workload["op"]], operands_of(workload, seed)

    def run(steps):
        for _ in range(steps):
            last = call(*inputs, workload)
        return lambda: fingerprint(parts_of(last), workload.get("eitherSign", False))

    return run


def results(workload, seed):
    """All values, computed in float64 from the same operands."""
    inputs = [x.astype(np.float64) for x in operands_of(workload, seed)]
    return [part.astype(np.float64).ravel().tolist() for part in parts_of(OPERATIONS[workload["op"]](*inputs, workload))]


serve({"operation": operation}, results)
