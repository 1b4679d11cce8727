#!/usr/bin/env python3
"""FAISS on the vectors and hyperplanes that bench/dense.bench.ts left in its cache folder, one query a call, one thread.

    python3 bench/dense-reference/reference.py CACHE_FOLDER COLLECTION [SECONDS_PER_POINT]

Prints a line per index and setting: recall@100 of exhaustive float32, and the median time of a query. Run the bench on
the collection first. Vectors are at unit length; the score is the inner product with a hyperplane's weights.
"""

import sys
import time
from pathlib import Path

import numpy as np

try:
    import faiss
except ImportError:
    sys.exit("reference.py: this Python has no faiss; install python3-faiss or faiss-cpu and say its version")


def main(folder, collection, budget):
    load = lambda name: np.load(folder / f"dense-{collection}-{name}.npy")
    weights, truth = load("weights"), load("truth")
    vectors = np.load((folder / f"dense-{collection}-path.txt").read_text().strip()).astype(np.float32)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-30)
    rows, dims = vectors.shape
    lists = max(1, rows // 100)
    faiss.omp_set_num_threads(1)
    print(f"FAISS {faiss.__version__} ({faiss.get_compile_options().strip()}), {rows} x {dims}, {lists} lists", flush=True)
    measure("float32 exhaustive", faiss.IndexFlatIP(dims), vectors, weights, truth, [None], budget)
    quantiser = train_lists(vectors, lists)
    flat = faiss.IndexIVFFlat(quantiser, dims, lists, faiss.METRIC_INNER_PRODUCT)
    measure("IVF-Flat", flat, vectors, weights, truth, [16, 32, 64, 128, 256, 512], budget)
    codes = faiss.IndexIVFScalarQuantizer(
        quantiser, dims, lists, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
    refined = faiss.IndexRefineFlat(codes)
    refined.k_factor = 2
    measure("IVF-SQ8, refined by float32", refined, vectors, weights, truth, [16, 32, 64, 128, 256, 512], budget)


def train_lists(vectors, lists):
    """The centres of all IVF indexes here, once: spherical k-means over at most 40 rows a list, five passes."""
    sample = vectors[np.random.default_rng(0).permutation(len(vectors))[: 40 * lists]]
    faiss.omp_set_num_threads(2)
    kmeans = faiss.Kmeans(vectors.shape[1], lists, niter=5, seed=1, max_points_per_centroid=40, spherical=True)
    kmeans.train(sample)
    faiss.omp_set_num_threads(1)
    quantiser = faiss.IndexFlatIP(vectors.shape[1])
    quantiser.add(kmeans.centroids)
    return quantiser


def measure(name, index, vectors, weights, truth, probes, budget):
    faiss.omp_set_num_threads(2)
    if not index.is_trained:
        index.train(vectors[:100000])
    index.add(vectors)
    faiss.omp_set_num_threads(1)
    for probe in probes:
        if probe is not None:
            inner = index.base_index if isinstance(index, faiss.IndexRefineFlat) else index
            faiss.downcast_index(inner).nprobe = probe
        found, times = [], []
        started = time.perf_counter()
        while time.perf_counter() - started < budget or len(found) < len(weights):
            query = weights[len(times) % len(weights)][None]
            before = time.perf_counter()
            _, ids = index.search(query, truth.shape[1])
            times.append(time.perf_counter() - before)
            if len(found) < len(weights):
                found.append(ids[0])
        recall = np.mean([len(set(f) & set(t)) / len(t) for f, t in zip(found, truth)])
        setting = "" if probe is None else f" nprobe={probe}"
        print(f"{name}{setting}: recall {recall:.4f}, {1000 * np.median(times):.4f} ms", flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]) if len(sys.argv) > 3 else 2.0)
