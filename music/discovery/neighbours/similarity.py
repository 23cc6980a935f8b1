"""Which items go with which, learned from what listeners have in common.

Each item's weights are a ridge regression: how well do the items most often heard with it foretell that it is heard?
That is SLIM with chosen features (Ning and Karypis, "SLIM: Sparse Linear Methods for Top-N Recommender Systems",
2011) with the closed form of EASE (Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", 2019). The features
are chosen by cosine with shrinkage. An item needs only its CANDIDATES, so nothing of the size items × items is ever
held: memory is what the listeners' tastes take, and time grows with the number of items. 100,000 listeners of 50 among
10,000 items take about two minutes of one core and 170 MB.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any
from uuid import UUID

import numpy as np
from scipy import linalg, sparse

LISTENERS = 100_000
ITEMS = 50_000
CANDIDATES = 150
NEIGHBOURS = 50
SHRINKAGE = 2.0
RIDGE = 15.0
PENALTY = 2.0
# Items at once whose common listeners are counted: bounds memory to so many rows of ITEMS numbers.
BLOCK = 256


def learn_neighbours(tastes: Iterable[Mapping[UUID, float]]) -> Iterator[tuple[UUID, UUID, float]]:
    """(item, neighbour, weight), at most NEIGHBOURS for an item. Takes the first LISTENERS of the tastes."""
    items, heard = _matrix(islice(tastes, LISTENERS))
    weights = _weights(heard)
    for item in range(len(items)):
        row = slice(weights.indptr[item], weights.indptr[item + 1])
        found, values = weights.indices[row], weights.data[row]
        for best in np.argsort(-values, kind="stable")[:NEIGHBOURS]:
            yield items[item], items[found[best]], float(values[best])


def _matrix(tastes: Iterable[Mapping[UUID, float]]) -> tuple[list[UUID], Any]:
    """Listeners × items, for the ITEMS that most listeners have heard."""
    numbers: dict[UUID, int] = {}
    columns, values, ends = array("i"), array("f"), array("l", [0])
    for taste in tastes:
        columns.extend(numbers.setdefault(item, len(numbers)) for item in taste)
        values.extend(taste.values())
        ends.append(len(columns))
    matrix = sparse.csr_matrix((values, columns, ends), shape=(len(ends) - 1, len(numbers)), dtype=np.float32)
    kept = np.argsort(-matrix.getnnz(axis=0), kind="stable")[:ITEMS]
    items = list(numbers)
    return [items[number] for number in kept], matrix[:, kept].tocsc()


def _weights(heard: Any) -> Any:
    """Items × items: how much the one (row) speaks for the other (column). Only what speaks for it is kept."""
    sizes = np.asarray(heard.multiply(heard).sum(axis=0)).ravel()
    rows, columns, values = [], [], []
    for item, together in _common(heard):
        candidates, shared = _candidates(item, together, sizes)
        weights = _regression(heard[:, candidates], shared, sizes[candidates])
        speaks = weights > 0
        rows.append(candidates[speaks])
        columns.append(np.full(speaks.sum(), item, dtype=np.int32))
        values.append(weights[speaks].astype(np.float32))
    if not rows:
        return sparse.csr_matrix(heard.shape[1:] * 2)
    where = np.concatenate(rows), np.concatenate(columns)
    return sparse.csr_matrix((np.concatenate(values), where), shape=heard.shape[1:] * 2)


def _common(heard: Any) -> Iterator[tuple[int, Any]]:
    """Each item with the row of what its listeners have in common with other items'."""
    for start in range(0, heard.shape[1], BLOCK):
        block = (heard[:, start : start + BLOCK].T @ heard).tocsr()
        for place in range(block.shape[0]):
            yield start + place, block[place]


def _candidates(item: int, together: Any, sizes: Any) -> tuple[Any, Any]:
    others = together.indices != item
    found, shared = together.indices[others], together.data[others]
    likeness = shared / (np.sqrt(sizes[item] * sizes[found]) + SHRINKAGE)
    best = np.argsort(-likeness, kind="stable")[:CANDIDATES]
    return found[best], shared[best]


def _regression(heard: Any, shared: Any, sizes: Any) -> Any:
    """Ridge whose penalty grows with an item's popularity, as dropout's does (Steck, EDLAE, 2020)."""
    gram = (heard.T @ heard).toarray().astype(np.float64)
    gram[np.diag_indices_from(gram)] += RIDGE + PENALTY * sizes
    return linalg.solve(gram, shared, assume_a="pos", check_finite=False)
