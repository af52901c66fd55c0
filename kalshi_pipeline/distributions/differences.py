"""Systems of bounds on differences of survival values, solved exactly by shortest paths.

With S at the edges of the cells (S_0 = 1, S_n = 0, non-increasing), a market that pays from cell a up to cell b - 1
is worth ``S_a - S_b``, so every quote of any ladder bounds one difference. Such a system has a solution iff its graph
has no negative cycle, and the shortest paths are the sharpest bounds that follow from it.
"""

from __future__ import annotations

import numpy as np

from kalshi_pipeline.distributions.compiled import Floats, Ints, compiled

#: Paths shorter by less than this are not shorter: rounding.
NOISE = 1e-14


@compiled
def edges(
    first: Ints,
    stop: Ints,
    lower: Floats,
    upper: Floats,
    nodes: int,
    tail: Ints,
    head: Ints,
    length: Floats,
    slope: Ints,
) -> int:
    """Write the system as edges ``S_head - S_tail <= length + slope * e``.

    Args:
        first: cell at which each market begins to pay.
        stop: cell from which it no longer does.
        lower: bids, 0 where there is none.
        upper: asks, 1 where there is none.
        nodes: edges of cells: one more than cells.
        tail: receives tails; ``2 * markets + nodes + 1`` long, like the next three.
        head: receives heads.
        length: receives lengths.
        slope: receives 1 where widening applies.

    Returns:
        Number of edges. The last two tie S_0 - S_n to 1, those before keep S from rising, the rest are bands: the ask
        of market i is edge ``2i``, its bid edge ``2i + 1``.
    """
    count = 0
    for i in range(first.size):
        tail[count], head[count], length[count], slope[count] = stop[i], first[i], upper[i], int(upper[i] < 1.0)
        tail[count + 1], head[count + 1], length[count + 1], slope[count + 1] = (
            first[i],
            stop[i],
            -lower[i],
            int(lower[i] > 0.0),
        )
        count += 2
    for node in range(nodes - 1):
        tail[count], head[count], length[count], slope[count] = node, node + 1, 0.0, 0
        count += 1
    tail[count], head[count], length[count], slope[count] = nodes - 1, 0, 1.0, 0
    tail[count + 1], head[count + 1], length[count + 1], slope[count + 1] = 0, nodes - 1, -1.0, 0
    return count + 2


@compiled
def depth(nodes: int, count: int, tail: Ints, head: Ints, length: Floats, slope: Ints) -> float:
    """Arbitrage depth: the least e >= 0 at which the system has a solution, the optimum of the linear programme.

    A system of differences has a solution iff no cycle is negative. Starting from 0, e is raised to what the negative
    cycle found makes just harmless, until there is none: every step solves one cycle exactly, and the last one is the
    binding set of quotes.
    """
    distance = np.zeros(nodes)
    via = np.full(nodes, -1)
    deepest = 0.0
    while True:
        distance[:] = 0.0
        via[:] = -1
        moved = -1
        for _ in range(nodes + 1):
            moved = -1
            for edge in range(count):
                reached = distance[tail[edge]] + length[edge] + slope[edge] * deepest
                if reached < distance[head[edge]] - NOISE:
                    distance[head[edge]] = reached
                    via[head[edge]] = edge
                    moved = head[edge]
            if moved < 0:
                return deepest
        for _ in range(nodes):
            moved = tail[via[moved]]
        start, around, shifts = moved, 0.0, 0
        while True:
            edge = via[moved]
            around += length[edge]
            shifts += slope[edge]
            moved = tail[edge]
            if moved == start:
                break
        if shifts == 0 or -around / shifts <= deepest:
            return deepest
        deepest = -around / shifts


@compiled
def ranges(nodes: int, count: int, tail: Ints, head: Ints, length: Floats, most: Floats) -> None:
    """Greatest value of every difference: ``most[u, v]`` bounds ``S_v - S_u``; all at once by shortest paths.

    Args:
        nodes: edges of cells.
        count: number of edges of the system.
        tail: tails.
        head: heads.
        length: lengths, widened.
        most: receives the bounds, ``(nodes, nodes)``.
    """
    most[:] = np.inf
    for node in range(nodes):
        most[node, node] = 0.0
    for edge in range(count):
        most[tail[edge], head[edge]] = min(most[tail[edge], head[edge]], length[edge])
    for through in range(nodes):
        for u in range(nodes):
            for v in range(nodes):
                most[u, v] = min(most[u, v], most[u, through] + most[through, v])
