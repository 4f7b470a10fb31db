"""What Python libraries share: worker.ts in Python. Reads requests and writes responses as lines of JSON (adapter.ts declares both).

Times are taken here, around `run` alone.
"""

import json
import resource
import sys
import time


def ran(run, steps, chunk):
    """Runs a round in samples of `chunk` steps. There is no probe between them, so it is not known which were quiet."""
    samples = []
    for done in range(0, steps, chunk):
        count = min(chunk, steps - done)
        start = time.perf_counter()
        value = run(count)
        samples.append({"ms": 1000 * (time.perf_counter() - start), "steps": count})
        if callable(value):  # reading is no part of a step
            value = value()
    return {"type": "ran", "ms": sum(sample["ms"] for sample in samples), "value": value, "samples": samples}


def serve(builders, results=None):
    """Answers requests until the input ends.

    builders: for each kind of workload a function of the workload and the seed, which returns a function that runs steps.
    results: a function of a workload and a seed that returns all values, for libraries that `accuracy` asks.
    """
    run = prepared = None
    reply = lambda response: print(json.dumps(response), flush=True)
    reply({"type": "ready"})
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["type"] == "prepare":
                run = None
                prepared = request["workload"], request["seed"]
                kind = request["workload"]["kind"]
                if kind not in builders:
                    raise ValueError(f"{sys.argv[0].split('/')[-1]} has no workload of kind {kind}")
                run = builders[kind](*prepared)
                reply({"type": "ready"})
            elif request["type"] == "memory":
                # Kilobytes on Linux, bytes on macOS.
                unit = 2**20 if sys.platform == "darwin" else 2**10
                reply({"type": "memory", "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit})
            elif run is None:
                raise RuntimeError("There is no workload to run.")
            elif request["type"] == "results":
                reply({"type": "results", "values": results(*prepared)})
            else:
                reply(ran(run, request["steps"], request["chunk"]))
        except Exception as error:  # told to the parent, which goes on with the others
            reply({"type": "failed", "message": f"{type(error).__name__}: {error}"})
