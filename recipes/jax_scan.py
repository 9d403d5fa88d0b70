"""JAX: the table is closed over in `lax.scan`, and the whole run is traced once.

A schedule written in Python branches on its parameters, and a rate that is a Python float makes a new trace for each
value. A table is an array: `vmap` goes over its rows, `scan` over its columns.

    lrgrid eval recipes/sweep.toml -o sweep.npy
    python recipes/jax_scan.py sweep.npy
"""

import argparse

import jax
import jax.numpy as jnp
import numpy

TRACES = 0


def problem():
    key = jax.random.key(1)
    inputs = jax.random.normal(key, (64, 3))
    return inputs, inputs @ jnp.array([1.0, -2.0, 0.5]) + 0.3


def run(rates, inputs, targets):
    """Trains a line at these rates, one per step; every step inside one scan."""
    global TRACES
    TRACES += 1

    def loss(weights):
        return jnp.mean((inputs @ weights[:3] + weights[3] - targets) ** 2)

    def step(weights, index):
        # The table is a constant of the trace; the index is data.
        return weights - rates[index] * jax.grad(loss)(weights), loss(weights)

    weights, losses = jax.lax.scan(step, jnp.zeros(4), jnp.arange(rates.shape[0]))
    return weights, losses[-1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", help="an .npy of `lrgrid eval`")
    table = jnp.asarray(numpy.load(parser.parse_args().table))
    inputs, targets = problem()
    # All schedules side by side.
    sweep = jax.jit(jax.vmap(run, in_axes=(0, None, None)))
    weights, losses = sweep(table, inputs, targets)
    sweep(table * 0.5, inputs, targets)
    assert TRACES == 1, f"{TRACES} traces for two sweeps of {table.shape[1]} steps"

    # The same by hand in float64, for the row that won.
    best = int(jnp.argmin(losses))
    x, y, w = numpy.asarray(inputs, dtype=numpy.float64), numpy.asarray(targets, dtype=numpy.float64), numpy.zeros(4)
    x = numpy.hstack([x, numpy.ones((64, 1))])
    for rate in numpy.asarray(table[best], dtype=numpy.float64):
        w -= rate * 2 * x.T @ (x @ w - y) / 64
    off = numpy.linalg.norm(numpy.asarray(weights[best]) - w) / numpy.linalg.norm(w)
    assert off < 1e-5, f"row {best} is {off:.1e} away from float64"
    print(f"{table.shape[0]} schedules of {table.shape[1]} steps in one trace; row {best} won, weights off by {off:.1e}")


if __name__ == "__main__":
    main()
