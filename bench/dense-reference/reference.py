#!/usr/bin/env python3
"""FAISS on the vectors and hyperplanes that bench/dense.bench.ts left in its cache folder, one query a call, one thread.

    python3 bench/dense-reference/reference.py CACHE_FOLDER COLLECTION

Builds its indexes, prints a line of JSON that says what it is, and answers every line of its input, "INDEX NPROBE" with
INDEX one of float32, ivf-flat and ivf-sq8-refined, by a line of JSON: recall@100 of exhaustive float32 and the
milliseconds of each query. Run by the bench, in turns with its own searches. Vectors are at unit length; the score is the
inner product with a hyperplane's weights.
"""

import json
import sys
import time
from pathlib import Path

try:
    import faiss
    import numpy as np
except ImportError:
    sys.exit("reference.py: this Python has no faiss; install python3-faiss or faiss-cpu and say its version")

ROWS_PER_LIST = 100
TRAINING_ROWS_PER_LIST = 40


def main(folder, collection):
    load = lambda name: np.load(folder / f"dense-{collection}-{name}.npy")
    weights, truth = load("weights"), load("truth")
    vectors = np.load((folder / f"dense-{collection}-path.txt").read_text().strip()).astype(np.float32)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-30)
    lists = max(1, len(vectors) // ROWS_PER_LIST)
    indexes = build(vectors, train_lists(vectors, lists), lists)
    faiss.omp_set_num_threads(1)
    about = {"library": f"FAISS {faiss.__version__}", "options": faiss.get_compile_options().strip(), "lists": lists}
    print(json.dumps(about), flush=True)
    for line in sys.stdin:
        name, probes = line.split()
        print(json.dumps(measure(indexes[name], int(probes), weights, truth)), flush=True)


def build(vectors, quantiser, lists):
    dims = vectors.shape[1]
    exhaustive = faiss.IndexFlatIP(dims)
    flat = faiss.IndexIVFFlat(quantiser, dims, lists, faiss.METRIC_INNER_PRODUCT)
    codes = faiss.IndexIVFScalarQuantizer(
        quantiser, dims, lists, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
    refined = faiss.IndexRefineFlat(codes)
    refined.k_factor = 2
    indexes = {"float32": exhaustive, "ivf-flat": flat, "ivf-sq8-refined": refined}
    for index in indexes.values():
        if not index.is_trained:
            index.train(vectors[:100000])
        index.add(vectors)
    return indexes


def train_lists(vectors, lists):
    """The centres of all IVF indexes here, once: spherical k-means, five passes."""
    sample = vectors[np.random.default_rng(0).permutation(len(vectors))[: TRAINING_ROWS_PER_LIST * lists]]
    kmeans = faiss.Kmeans(
        vectors.shape[1], lists, niter=5, seed=1, max_points_per_centroid=TRAINING_ROWS_PER_LIST, spherical=True)
    kmeans.train(sample)
    quantiser = faiss.IndexFlatIP(vectors.shape[1])
    quantiser.add(kmeans.centroids)
    return quantiser


def measure(index, probes, weights, truth):
    inner = index.base_index if isinstance(index, faiss.IndexRefineFlat) else index
    inner = faiss.downcast_index(inner)
    if hasattr(inner, "nprobe"):
        inner.nprobe = probes
    hits, times = [], []
    for query, best in zip(weights, truth):
        before = time.perf_counter()
        _, ids = index.search(query[None], len(best))
        times.append(1000 * (time.perf_counter() - before))
        hits.append(len(set(ids[0]) & set(best)) / len(best))
    return {"recall": float(np.mean(hits)), "ms": times}


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), sys.argv[2])
