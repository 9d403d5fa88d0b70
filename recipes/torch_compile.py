"""PyTorch: the table is a tensor that the compiled step indexes with a step tensor.

A learning rate that is a Python float is a constant of the compiled graph: each new value compiles it anew, and a CUDA
graph keeps the first. A table on the device, indexed by a step on the device, is data: one graph, no host value.

    lrgrid eval recipes/sweep.toml -o sweep.npy
    python recipes/torch_compile.py sweep.npy [--backend inductor]
"""

import argparse

import numpy
import torch
import torch._dynamo


def train(table, compile_with, steps):
    """Trains a line under one schedule; returns its weights and the graphs that were compiled."""
    torch.manual_seed(1)
    inputs, noise = torch.randn(64, 3), 0.01 * torch.randn(64)
    targets = inputs @ torch.tensor([1.0, -2.0, 0.5]) + 0.3 + noise
    model = torch.nn.Linear(3, 1)
    # The rate is a tensor at an address that stays; only what is in it changes.
    rate = torch.zeros(())
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, foreach=False)
    step = torch.zeros((), dtype=torch.int64)

    def update():
        rate.copy_(table[step])
        optimizer.step()
        step.add_(1)

    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    compiled = torch.compile(update, backend=compile_with) if compile_with else update
    seen = []
    for _ in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(model(inputs).squeeze(1), targets).backward()
        compiled()
        seen.append(rate.item())  # For the check below: a real loop reads nothing back.
    graphs = torch._dynamo.utils.counters["stats"]["unique_graphs"]
    return model.weight.detach().clone(), seen, graphs


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", help="an .npy of `lrgrid eval`")
    parser.add_argument("--backend", default="inductor", help="what compiles: inductor, aot_eager, …")
    arguments = parser.parse_args()
    rows = torch.from_numpy(numpy.load(arguments.table))
    steps = min(60, rows.shape[1])
    for row, table in enumerate(rows):
        if row % 4:
            continue
        weights, seen, graphs = train(table, arguments.backend, steps)
        plain, _, _ = train(table, None, steps)
        assert seen == table[:steps].tolist(), f"row {row} was trained at other rates than the table's"
        # Capturing the first call may take a graph for the optimizer's empty state; what counts is that steps add none.
        _, _, fewer = train(table, arguments.backend, 5)
        assert graphs == fewer, f"{graphs} graphs for {steps} steps, but {fewer} for 5: the rate is compiled in"
        off = ((weights - plain).norm() / plain.norm()).item()
        assert off < 1e-4, f"row {row}: compiled and eager weights differ by {off:.1e}"
        print(f"row {row}: {steps} steps, {graphs} graphs (as many as for 5 steps), weights off by {off:.1e}")


if __name__ == "__main__":
    main()
