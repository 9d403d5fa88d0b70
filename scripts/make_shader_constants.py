"""Writes shaders/constants.wgsl, the polynomials of shaders/math.wgsl in 0.32 fixed point, and shaders/interpolation.wgsl.

Needs mpmath. Run from the repository root; tests/shader_reflection.rs checks the result against the functions.
"""

from fractions import Fraction

import mpmath as mp

mp.mp.prec = 250
LN2 = mp.log(2)
ONE = mp.mpf(2) ** 32
WORST = mp.mpf(2) ** -33


def series(coefficient, terms=60):
    """The sum of coefficient(k) x^k: free of the cancellation that the closed form has near zero."""
    table = [coefficient(k) for k in range(terms)]
    return lambda x: mp.polyval(table[::-1], x)


def polynomial(name, doc, f, end, degree, signs, wide_first=False):
    """A near-minimax polynomial on [0, end], lowest coefficient first, each in 0.32 fixed point; the first in 0.64 if asked."""
    coefficients, error = mp.chebyfit(f, [0, end], degree + 1, error=True)
    assert error < WORST, (name, error)
    rounded = [int(mp.nint(abs(c) * ONE)) for c in coefficients[::-1]]
    for c, sign in zip(coefficients[::-1], signs):
        assert c * sign > 0, (name, coefficients)
    # Horner must not overflow: with all signs positive the sum is the largest value.
    if all(s > 0 for s in signs):
        rounded[0] -= max(0, sum(rounded) - (2**32 - 1))
    assert all(0 < c < 2**32 for c in rounded), (name, rounded)
    lines = [f"// {doc}; off by 2^{float(mp.log(error, 2)):.1f} at most."]
    first = int(mp.nint(coefficients[-1] * ONE**2))
    if wide_first:
        rounded[0] = first >> 32
    lines += [f"const LRGRID_{name}_{k}: u32 = 0x{c:08x}u;" for k, c in enumerate(rounded)]
    if wide_first:
        lines += [f"const LRGRID_{name}_0_LOW: u32 = 0x{first & 0xFFFFFFFF:08x}u;"]
    return lines


def wide(name, doc, value):
    """A number in 0.64 fixed point, as two words."""
    integer = int(mp.nint(value * mp.mpf(2) ** 64))
    assert 0 < integer < 2**64
    return [
        f"// {doc}.",
        f"const LRGRID_{name}_HIGH: u32 = 0x{integer >> 32:08x}u;",
        f"const LRGRID_{name}_LOW: u32 = 0x{integer & 0xFFFFFFFF:08x}u;",
    ]


def alternating(n):
    return [1 if k % 2 == 0 else -1 for k in range(n + 1)]


def interpolation():
    """Nodes near those of Chebyshev and Lobatto, in 64ths, and the polynomial through values at them."""
    nodes, check = [0, 4, 16, 32, 48, 60, 64], 55
    x = [Fraction(node - 32, 32) for node in nodes]

    def coefficients(i):
        """Of the polynomial that is 1 at node i and 0 at the others, lowest first."""
        out = [Fraction(1)]
        for j in range(len(x)):
            if j != i:
                scaled = [c / (x[i] - x[j]) for c in out]
                out = [a - x[j] * b for a, b in zip([0] + scaled, scaled + [0])]
        return out

    basis = [coefficients(i) for i in range(len(x))]
    rows = [[c[power] for c in basis] for power in range(len(x))]
    at = Fraction(check - 32, 32)
    rows.append([sum(c * at**power for power, c in enumerate(p)) for p in basis])
    assert all(abs(weight) < 16 for row in rows for weight in row)
    # Eight products of 30-bit rests must fit into 63 bits.
    assert all(sum(abs(weight) for weight in row) < 64 for row in rows)
    return [
        "// Interpolation in the nodes of a block. Written by scripts/make_shader_constants.py: change that instead.",
        "",
        "// Where the nodes lie, in 64ths of the block; the last one is only compared with.",
        "const LRGRID_NODES: array<u32, 8> = array<u32, 8>(" + ", ".join(f"{n}u" for n in nodes + [check]) + ");",
        "",
        "// How much each node's value counts, in 2^-27: a row per power of x in [-1, 1], then the value at the last node.",
        "const LRGRID_WEIGHTS: array<i32, 56> = array<i32, 56>(",
        *("    " + ", ".join(str(round(weight * 2**27)) for weight in row) + "," for row in rows),
        ");",
    ]


def main():
    out = [
        "// Constants of math.wgsl. Written by scripts/make_shader_constants.py: change that instead.",
        "// Fixed point with 32 (64) fraction bits; where a series alternates, the magnitudes.",
        "",
    ]
    out += polynomial("EXP2", "(2^x - 1)/x on [0, 1]", series(lambda k: LN2 ** (k + 1) / mp.factorial(k + 1)), 1, 7, [1] * 8)
    out += polynomial(
        "EXP2_FALLING",
        "(1 - 2^-x)/x on [0, 1]",
        series(lambda k: (-1) ** k * LN2 ** (k + 1) / mp.factorial(k + 1)),
        1,
        7,
        alternating(7),
    )
    out += polynomial(
        "LOG2_1M",
        "-log2(1 - x/16)/(2 x/16) on [0, 1]",
        series(lambda k: 1 / (2 * LN2 * (k + 1) * mp.mpf(16) ** k)),
        1,
        5,
        [1] * 6,
    )
    top = 8 * (mp.mpf(2) ** mp.mpf("0.125") - 1)
    out += polynomial(
        "LOG2",
        "(log2(1 + z) - z/ln 2 + z^2/(2 ln 2))/z^3, z = x/8, on [0, 8 (2^(1/8) - 1)]",
        series(lambda k: (-1) ** k / (LN2 * (k + 3) * mp.mpf(8) ** k), 400),
        top,
        6,
        alternating(6),
    )
    # sin^2(pi v/2) = (1 - cos(pi v))/2 = sum of (-1)^k pi^(2k+2)/(2 (2k+2)!) t^(k+1) for t = v^2.
    out += polynomial(
        "SINE",
        "(pi^2/4 - sin^2(pi/2 sqrt t)/t)/(4 t), t = x/2, on [0, 1/2]",
        series(lambda k: (-1) ** k * mp.pi ** (2 * k + 4) / (2 * mp.factorial(2 * k + 4)) / 4 / mp.mpf(2) ** k),
        mp.mpf("0.5"),
        5,
        alternating(5),
        wide_first=True,
    )
    out += wide("SINE_LEADING", "pi^2/16", mp.pi**2 / 16)
    out += wide("LOG2_LINEAR", "1/ln 2 - 1", 1 / LN2 - 1)
    out += wide("LOG2_SQUARE", "1/(2 ln 2)", 1 / (2 * LN2))
    for i in range(1, 8):
        c = mp.mpf(2) ** (mp.mpf(i) / 8)
        threshold = int(mp.ceil(c * mp.mpf(2) ** 31))
        # The quotient of a mantissa at the threshold must stay above 1 whatever its product is truncated by.
        assert threshold / (c * mp.mpf(2) ** 31) - 1 > mp.mpf(2) ** -55
        out += wide(f"ROOT_{i}", f"2^(-{i}/8)", 1 / c)
        out += [f"const LRGRID_ROOT_{i}_FROM: u32 = 0x{threshold:08x}u;"]
    with open("shaders/constants.wgsl", "w") as file:
        file.write("\n".join(out) + "\n")
    with open("shaders/interpolation.wgsl", "w") as file:
        file.write("\n".join(interpolation()) + "\n")


main()
