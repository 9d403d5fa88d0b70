#!/usr/bin/env python3
"""Writes tests/data/quantiles.tsv: quantiles of distributions to 20 digits, by mpmath with 60.

pip install mpmath, then: scripts/make_quantiles.py > tests/data/quantiles.tsv
"""

from mpmath import betainc, erfinv, mp, mpf, nstr, sqrt

mp.dps = 60


def beta_quantile(a, b, share):
    """By bisection, in the logarithm while the ends are far apart."""
    low, high = mpf(0), mpf(1)
    while low == 0 or (high - low) / high > mpf(10) ** -25:
        middle = high / 16 if low == 0 else sqrt(low * high) if high > 2 * low else (low + high) / 2
        if betainc(a, b, 0, middle, regularized=True) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def row(name, a, b, share, value):
    print(name, a, b, repr(share), nstr(value, 20), sep="\t")


shares = [2.0**-53, 1e-10, 1e-3, 0.1, 0.25, 0.4999, 0.6, 0.9, 0.999, 1 - 2.0**-40]
print("# distribution, two parameters, share, quantile: made by scripts/make_quantiles.py")
for share in shares:
    row("normal", 0.0, 1.0, share, sqrt(2) * erfinv(2 * mpf(share) - 1))
for a, b in [(1.0, 1.0), (2.0, 5.0), (0.5, 0.5), (30.0, 1.5), (0.1, 3.0), (200.0, 300.0)]:
    for share in shares:
        row("beta", a, b, share, beta_quantile(mpf(a), mpf(b), mpf(share)))
