#!/usr/bin/env python3
"""Prints tests/data/double_double.tsv: function, two arguments, value as high + low, from 400 bits.

Needs mpmath: python3 scripts/make_double_double_vectors.py > tests/data/double_double.tsv
"""

import random

from mpmath import log, mp, mpf, pi, power, sin, sqrt

mp.prec = 400
random.seed(20261124)


def row(name, a, b, value):
    high = float(value)
    low = float(value - mpf(high))
    print(f"{name}\t{a!r}\t{b!r}\t{high!r}\t{low!r}")


for _ in range(150):
    x = (random.random() - 0.5) * 1800
    row("exp2", x, 0.0, mpf(2) ** mpf(x))
    x = (random.random() - 0.5) * 10 ** random.uniform(-12, 0)
    row("exp2_m1", x, 0.0, mpf(2) ** mpf(x) - 1)
    x = 10 ** random.uniform(-300, 300)
    row("log2", x, 0.0, log(mpf(x), 2))
    x = 1 + (random.random() - 0.5) * 10 ** random.uniform(-15, 0)
    row("log2", x, 0.0, log(mpf(x), 2))
    x = (random.random() * 1.4 - 0.45) * 10 ** random.uniform(-15, 0)
    row("log2_1p", x, 0.0, log(1 + mpf(x), 2))
    x = random.random() * 10 ** random.choice([0, 0, -3, -9])
    row("sin_half_pi", x, 0.0, sin(pi / 2 * mpf(x)))
    x = 10 ** random.uniform(-200, 200)
    row("sqrt", x, 0.0, sqrt(mpf(x)))
    x, y = 10 ** random.uniform(-20, 3), random.uniform(-12, 12)
    row("powf", x, y, power(mpf(x), mpf(y)))
    x, y = random.uniform(-1, 1), random.uniform(-1, 1) * 10 ** random.uniform(-20, 20)
    row("divide", x, y, mpf(x) / mpf(y))
    row("multiply", x, y, mpf(x) * mpf(y))
    row("add", x, y, mpf(x) + mpf(y))
