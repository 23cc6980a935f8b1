"""Similarity of items, learned from the listeners they have in common.

For each item, a ridge regression predicts from the items most often heard with it whether it is heard; its
coefficients are the weights. This is SLIM with feature selection (Ning and Karypis, "SLIM: Sparse Linear Methods for
Top-N Recommender Systems", 2011), solved in the closed form of EASE (Steck, "Embarrassingly Shallow Autoencoders for
Sparse Data", 2019). Features are selected by cosine similarity with shrinkage.

An item needs only its CANDIDATES, so no dense matrix of items × items is built: memory is what the listeners' tastes
take, and time grows with the number of items. 100,000 listeners of 50 among 10,000 items take about two minutes of one
core and 170 MB.
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
# Features of each item's regression, and the neighbours that are stored of them.
CANDIDATES = 150
NEIGHBOURS = 50
# Added to the cosine's denominator: items with few listeners look less similar than they would by chance.
SHRINKAGE = 2.0
# The ridge of an item is RIDGE plus PENALTY times its popularity.
RIDGE = 15.0
PENALTY = 2.0
# Overlaps are computed for so many items at once, which bounds memory to BLOCK rows of ITEMS numbers.
BLOCK = 256


def learn_neighbours(tastes: Iterable[Mapping[UUID, float]]) -> Iterator[tuple[UUID, UUID, float]]:
    """Yield (item, neighbour, weight), at most NEIGHBOURS for an item, from the first LISTENERS of the tastes."""
    items, heard = _matrix(islice(tastes, LISTENERS))
    weights = _weights(heard)
    for item in range(len(items)):
        row = slice(weights.indptr[item], weights.indptr[item + 1])
        found, values = weights.indices[row], weights.data[row]
        for best in np.argsort(-values, kind="stable")[:NEIGHBOURS]:
            yield items[item], items[found[best]], float(values[best])


def _matrix(tastes: Iterable[Mapping[UUID, float]]) -> tuple[list[UUID], Any]:
    """Return the ITEMS with the most listeners, and the sparse matrix of listeners × these items."""
    numbers: dict[UUID, int] = {}
    columns, values, ends = array("i"), array("f"), array("l", [0])
    for taste in tastes:
        columns.extend(numbers.setdefault(item, len(numbers)) for item in taste)
        values.extend(taste.values())
        ends.append(len(columns))
    matrix = sparse.csr_matrix((values, columns, ends), shape=(len(ends) - 1, len(numbers)), dtype=np.float32)
    most_heard = np.argsort(-matrix.getnnz(axis=0), kind="stable")[:ITEMS]
    items = list(numbers)
    return [items[number] for number in most_heard], matrix[:, most_heard].tocsc()


def _weights(heard: Any) -> Any:
    """Return the sparse matrix of items × items: the positive weights with which the row predicts the column."""
    sizes = np.asarray(heard.multiply(heard).sum(axis=0)).ravel()
    rows, columns, values = [], [], []
    for item, overlap in _overlaps(heard):
        candidates, shared = _candidates(item, overlap, sizes)
        weights = _regression(heard[:, candidates], shared, sizes[candidates])
        is_positive = weights > 0
        rows.append(candidates[is_positive])
        columns.append(np.full(is_positive.sum(), item, dtype=np.int32))
        values.append(weights[is_positive].astype(np.float32))
    if not rows:
        return sparse.csr_matrix(heard.shape[1:] * 2)
    places = np.concatenate(rows), np.concatenate(columns)
    return sparse.csr_matrix((np.concatenate(values), places), shape=heard.shape[1:] * 2)


def _overlaps(heard: Any) -> Iterator[tuple[int, Any]]:
    """Yield each item with its sparse row of dot products with all items: how many listeners they share, weighted."""
    for start in range(0, heard.shape[1], BLOCK):
        block = (heard[:, start : start + BLOCK].T @ heard).tocsr()
        for place in range(block.shape[0]):
            yield start + place, block[place]


def _candidates(item: int, overlap: Any, sizes: Any) -> tuple[Any, Any]:
    """Return the CANDIDATES most similar to the item by shrunk cosine, and their overlaps with it."""
    others = overlap.indices != item
    found, shared = overlap.indices[others], overlap.data[others]
    cosine = shared / (np.sqrt(sizes[item] * sizes[found]) + SHRINKAGE)
    best = np.argsort(-cosine, kind="stable")[:CANDIDATES]
    return found[best], shared[best]


def _regression(heard: Any, shared: Any, sizes: Any) -> Any:
    """Solve the ridge regression for the candidates' weights.

    The penalty grows with a candidate's popularity, as that of dropout does (Steck, "Autoencoders that don't overfit
    towards the Identity", 2020).
    """
    gram = (heard.T @ heard).toarray().astype(np.float64)
    gram[np.diag_indices_from(gram)] += RIDGE + PENALTY * sizes
    return linalg.solve(gram, shared, assume_a="pos", check_finite=False)
