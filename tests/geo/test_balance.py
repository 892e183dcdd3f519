"""Balanced cells: drawn, by law, and beside trying every division."""

from __future__ import annotations

from collections.abc import Iterator

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.balance import Bounds, Graph, cells

BOUNDS = Bounds(low=0.5, high=1.5, scale=400.0)


def lattice(loads: list[list[float]], dear: tuple[tuple[int, int], ...] = ()) -> Graph:
    """Square blocks of 100 m; a border costs its length, five times that between blocks of ``dear``."""
    rows, columns = len(loads), len(loads[0])
    number = np.arange(rows * columns).reshape(rows, columns)
    pairs = [*zip(number[:, :-1].ravel(), number[:, 1:].ravel(), strict=True),
             *zip(number[:-1].ravel(), number[1:].ravel(), strict=True)]  # fmt: skip
    one, other = (np.array([pair[n] for pair in pairs], dtype=np.int64) for n in (0, 1))
    cost = np.array([500.0 if (int(a), int(b)) in dear else 100.0 for a, b in pairs])
    row, column = np.divmod(np.arange(rows * columns), columns)
    xy = np.column_stack([100.0 * column, -100.0 * row])
    return Graph(np.array(loads, dtype=float).ravel(), np.full(rows * columns, 1e4), xy, one, other, cost)


def energy(graph: Graph, label: np.ndarray) -> float:
    cut = graph.cost[label[graph.one] != label[graph.other]].sum()
    return float(cut + BOUNDS.strain(np.bincount(label, graph.load)).sum())


def whole(graph: Graph, label: np.ndarray) -> bool:
    net = nx.Graph(zip(graph.one.tolist(), graph.other.tolist(), strict=True))
    net.add_nodes_from(range(len(label)))
    return all(nx.is_connected(net.subgraph(np.flatnonzero(label == n).tolist())) for n in range(label.max() + 1))


def test_a_row_of_equal_blocks_is_halved() -> None:
    assert cells(lattice([[0.25] * 8]), bounds=BOUNDS).tolist() == [0] * 4 + [1] * 4


def test_a_dear_border_is_kept_together() -> None:
    """Between the fourth and the fifth block a border would cross a yard: one block further is nearly as good."""
    found = cells(lattice([[0.25] * 8], dear=((3, 4),)), bounds=BOUNDS)
    assert found[3] == found[4] and len(set(found.tolist())) == 2


def test_one_heavy_block_stays_alone_and_islands_apart() -> None:
    graph = lattice([[0.5, 0.5, 3.0]])
    assert cells(graph, bounds=BOUNDS).tolist() == [0, 0, 1]
    alone = Graph(np.array([0.1, 0.9]), np.ones(2), np.zeros((2, 2)), *(np.zeros(0, dtype=np.int64),) * 2, np.zeros(0))
    assert cells(alone, bounds=BOUNDS).tolist() == [0, 1]


loads = st.lists(st.lists(st.sampled_from([0.0, 0.1, 0.3, 0.6]), min_size=6, max_size=6), min_size=5, max_size=5)


@given(loads)
@settings(deadline=None, max_examples=25)
def test_every_cell_is_in_one_piece_and_none_too_heavy(rows: list[list[float]]) -> None:
    graph = lattice(rows)
    found = cells(graph, bounds=BOUNDS)
    assert whole(graph, found) and set(found.tolist()) == set(range(found.max() + 1))
    heaped = np.bincount(found, graph.load)
    assert heaped.sum() == pytest.approx(graph.load.sum()) and heaped.max() <= 1.5 + 1e-9
    assert (heaped >= 0.5 - 1e-9).all() or graph.load.sum() < 2


def test_not_far_from_the_best_of_all_divisions() -> None:
    """All 4 140 divisions of eight blocks: no straight division of two cells is better, but one of three may be."""
    drawn = np.random.default_rng(7).choice([0.2, 0.3, 0.4, 0.6], size=(5, 2, 4))
    ratio = []
    for loads in drawn.tolist():
        graph = lattice(loads)
        best = min(energy(graph, each) for each in divisions(8) if whole(graph, each))
        ratio.append(energy(graph, cells(graph, bounds=BOUNDS)) / best)
    assert np.mean(ratio) < 1.05 and max(ratio) < 1.1


def divisions(n: int) -> Iterator[np.ndarray]:
    """Every division of ``n`` things, each once, numbered by their first thing."""

    def more(so_far: list[int]) -> Iterator[list[int]]:
        if len(so_far) == n:
            yield so_far
            return
        for label in range(max(so_far, default=-1) + 2):
            yield from more([*so_far, label])

    return map(np.array, more([]))
