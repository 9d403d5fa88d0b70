"""Times two tables of 1024 schedules x 65,536 steps in f32, and says how far each is from the exact values.

warmup_cosine: a linear warmup of 2000 steps to a peak of its own in each row, then half a cosine to 1e-6.
exponential:   peak * 0.9999^step.

Every peer computes the whole table from 1024 peaks in one call, in the form that its users write, after a warm-up that
compiles. NumPy writes into a reused buffer, as lrgrid does; the results of JAX and PyTorch are their own. Times are the
least of several; the peers take turns, so a machine that slows down slows all of them. Errors are in units in the last
place of f32, on every 16th row, against f64 in a form that does not cancel; relative errors say the same without units.
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROWS, STEPS = 1024, 65_536
WARMUP, END, RATE = 2000, 1e-6, 0.9999
SPECS = {
    "warmup_cosine": "kind = 'warmup', steps = 2000, then = { kind = 'cosine', start = '$peak', end = 1e-6, steps = 63_536 }",
    "exponential": "kind = 'exponential', start = '$peak', decay_rate = 0.9999",
}
SWEEP = "[sweep.parameters.peak]\nmin = 1e-4\nmax = 1e-2\ncount = 1024\ndistribution = 'log_uniform_values'\n"
PEAKS = np.exp(np.linspace(math.log(1e-4), math.log(1e-2), ROWS))


def exact(case, peaks):
    """The table in f64, by a formula that keeps its digits near the end."""
    peaks, step = peaks[:, None], np.arange(STEPS, dtype=np.float64)[None, :]
    if case == "exponential":
        return peaks * np.exp2(step * math.log2(RATE))
    left = 1 - np.clip(step - WARMUP, 0, STEPS - WARMUP) / (STEPS - WARMUP)
    decay = END + (peaks - END) * np.sin(np.pi / 2 * left) ** 2
    return np.where(step < WARMUP, peaks * (step / WARMUP), decay)


def worst(table, case, peaks):
    """The worst error in units in the last place of f32, and relative."""
    ulp = relative = 0.0
    for row in range(0, ROWS, 16):
        want = exact(case, peaks[row : row + 1])[0]
        off = np.abs(np.asarray(table[row], dtype=np.float64) - want)
        ulp = max(ulp, float(np.max(off / np.spacing(want.astype(np.float32)).astype(np.float64))))
        relative = max(relative, float(np.max(off[want > 0] / want[want > 0])))
    return ulp, relative


def numpy_peer():
    peaks = PEAKS.astype(np.float32)[:, None]
    step = np.arange(STEPS, dtype=np.float32)[None, :]
    out = np.empty((ROWS, STEPS), dtype=np.float32)

    def warmup_cosine():
        progress = (step - WARMUP) / np.float32(STEPS - WARMUP)
        shape = np.float32(0.5) * (1 + np.cos(np.float32(np.pi) * progress))
        np.multiply(peaks - np.float32(END), shape, out=out)
        np.add(out, np.float32(END), out=out)
        np.multiply(peaks, step[:, :WARMUP] / np.float32(WARMUP), out=out[:, :WARMUP])
        return out

    def exponential():
        return np.multiply(peaks, np.float32(RATE) ** step, out=out)

    return {"warmup_cosine": warmup_cosine, "exponential": exponential}


def jax_peers(device):
    import jax
    import jax.numpy as jnp
    import optax

    if device == "cpu":
        jax.config.update("jax_platforms", "cpu")
    peaks, step = jnp.asarray(PEAKS, dtype=jnp.float32), jnp.arange(STEPS)

    @jax.jit
    def warmup_cosine(peaks):
        peak, count = peaks[:, None], step[None, :].astype(jnp.float32)
        progress = (count - WARMUP) / (STEPS - WARMUP)
        decay = END + 0.5 * (peak - END) * (1 + jnp.cos(jnp.pi * progress))
        return jnp.where(count < WARMUP, peak * count / WARMUP, decay)

    @jax.jit
    def exponential(peaks):
        return peaks[:, None] * jnp.power(jnp.float32(RATE), step[None, :].astype(jnp.float32))

    # optax's warmup_cosine_decay_schedule branches on its parameters in Python: its peak can only scale it.
    unit = optax.join_schedules(
        [optax.linear_schedule(0.0, 1.0, WARMUP), optax.cosine_decay_schedule(1.0, STEPS - WARMUP)], [WARMUP]
    )
    decaying = optax.exponential_decay(1.0, 1, RATE)

    @jax.jit
    def optax_warmup_cosine(peaks):
        shape = jax.vmap(unit)(step)
        end = jnp.where(step < WARMUP, 0.0, END)[None, :]
        return end + (peaks[:, None] - end) * shape[None, :]

    @jax.jit
    def optax_exponential(peaks):
        return peaks[:, None] * jax.vmap(decaying)(step)[None, :]

    def timed(function):
        return lambda: function(peaks).block_until_ready()

    return {
        "JAX jit": {"warmup_cosine": timed(warmup_cosine), "exponential": timed(exponential)},
        "JAX jit + optax": {"warmup_cosine": timed(optax_warmup_cosine), "exponential": timed(optax_exponential)},
    }


def torch_peers(device):
    import torch

    peaks = torch.tensor(PEAKS, dtype=torch.float32, device=device)[:, None]
    step = torch.arange(STEPS, dtype=torch.float32, device=device)[None, :]

    def warmup_cosine(peaks, step):
        progress = (step - WARMUP) / (STEPS - WARMUP)
        decay = END + 0.5 * (peaks - END) * (1 + torch.cos(torch.pi * progress))
        return torch.where(step < WARMUP, peaks * step / WARMUP, decay)

    def exponential(peaks, step):
        return peaks * torch.pow(RATE, step)

    def timed(function):
        def call():
            result = function(peaks, step)
            if device == "cuda":
                torch.cuda.synchronize()
            return result

        return call

    def both(wrap):
        return {"warmup_cosine": timed(wrap(warmup_cosine)), "exponential": timed(wrap(exponential))}

    return {"PyTorch eager": both(lambda f: f), "torch.compile": both(torch.compile)}


def as_numpy(table):
    return table.cpu().numpy() if hasattr(table, "cpu") else np.asarray(table)


def time_peers(peers, case, rounds):
    """The least seconds of each, in turns."""
    least = dict.fromkeys(peers, math.inf)
    for _ in range(rounds):
        for name, peer in peers.items():
            start = time.perf_counter()
            peer[case]()
            least[name] = min(least[name], time.perf_counter() - start)
    return least


def lrgrid_times(lrgrid, case, device):
    """Seconds by `lrgrid bench`, which checks and times the same schedule."""
    backend = "gpu" if device == "cuda" else "cpu"
    command = [lrgrid, "bench", "--backend", backend, "--filter", f"{backend}/{case}/long", "--json", "-"]
    report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    part = "kernel" if device == "cuda" else "whole"
    return next(m["seconds"] for m in report["measurements"] if m["part"].startswith(part))


def lrgrid_worst(lrgrid, case, device):
    """The same sweep as a table in a file, against the peaks that the tool itself used."""
    with tempfile.TemporaryDirectory() as folder:
        spec, table = Path(folder, "spec.toml"), Path(folder, "table.npy")
        spec.write_text(f"steps = {STEPS}\nschedule = {{ {SPECS[case]} }}\n{SWEEP}")
        backend = "gpu" if device == "cuda" else "cpu"
        subprocess.run([lrgrid, "eval", spec, "-o", table, "--backend", backend], check=True)
        rows = np.loadtxt(Path(folder, "table.parameters.csv"), delimiter=",", skiprows=1)
        return worst(np.load(table, mmap_mode="r"), case, rows[:, 1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lrgrid", default="target/release/lrgrid")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    device = arguments.device

    peers = {"NumPy": numpy_peer()} | jax_peers(device) | torch_peers(device)
    print(f"{ROWS} x {STEPS} f32 on {device}; Python {sys.version.split()[0]}")
    print(f"{'':16} {'case':14} {'ms':>9} {'G values/s':>11} {'lrgrid is':>10} {'worst ULP':>12} {'relative':>9}")
    for case in SPECS:
        errors = {name: worst(as_numpy(peer[case]()), case, PEAKS.astype(np.float32).astype(np.float64)) for name, peer in peers.items()}
        # Before and after: a machine that slows down in between shows.
        ours = [lrgrid_times(arguments.lrgrid, case, device)]
        least = time_peers(peers, case, arguments.rounds)
        ours.append(lrgrid_times(arguments.lrgrid, case, device))
        least["lrgrid"] = min(ours)
        errors["lrgrid"] = lrgrid_worst(arguments.lrgrid, case, device)
        for name, seconds in least.items():
            ulp, relative = errors[name]
            rate, ratio = ROWS * STEPS / seconds / 1e9, seconds / least["lrgrid"]
            print(f"{name:16} {case:14} {seconds * 1e3:9.2f} {rate:11.3f} {ratio:9.1f}x {ulp:12.4g} {relative:9.2g}")


if __name__ == "__main__":
    main()
