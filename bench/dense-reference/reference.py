#!/usr/bin/env python3
"""FAISS on the vectors and hyperplanes that a bench left in its cache folder, one query a call, one thread.

    python3 bench/dense-reference/reference.py CACHE_FOLDER COLLECTION

Builds its indexes, prints a line of JSON that says what it is, and answers every line of its input, "INDEX PROBES LABELS"
with INDEX one of float32, ivf-flat, ivf-sq8-refined and hnsw (PROBES is its efSearch) and LABELS the name of hyperplanes,
by a line of JSON: recall@100 of exhaustive float32, the milliseconds of each query, and of all of them together the wall and
the CPU time of this thread. An item is right when the bench has it among the true best, which are more than 100 where items
tie for the last place. Run by the bench, in turns with its own searches. Vectors are at unit length; the score is the inner product with a hyperplane's weights. The graph takes
longer to build than all the rest, so it is built when it is first asked for.
"""

import json
import sys
import time
from functools import cache
from pathlib import Path

try:
    import faiss
    import numpy as np
except ImportError:
    sys.exit("reference.py: this Python has no faiss; install python3-faiss or faiss-cpu and say its version")

ROWS_PER_LIST = 100
TRAINING_ROWS_PER_LIST = 40
PASSES = 5
LINKS = 16
BUILD_EFFORT = 100
TOP = 100


def main(folder, collection):
    path = Path((folder / f"dense-{collection}-path.txt").read_text().strip())
    vectors = np.load(path).astype(np.float32)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-30)
    stamp = f"{path.stat().st_size}-{path.stat().st_mtime_ns}-{PASSES}"
    kept = lambda name, make: read_or_make(folder / f"dense-{collection}-{stamp}-{name}.faiss", make)
    before = time.perf_counter()
    indexes = build(vectors, kept)
    about = {"library": f"FAISS {faiss.__version__}", "options": faiss.get_compile_options().strip(),
             "lists": lists_of(vectors), "ready_in_s": round(time.perf_counter() - before)}
    graph = cache(lambda: kept("hnsw", lambda: build_graph(vectors)))
    load = cache(lambda labels, name: np.load(folder / f"dense-{collection}-{labels}-{name}.npy"))
    faiss.omp_set_num_threads(1)
    print(json.dumps(about), flush=True)
    for line in sys.stdin:
        name, probes, labels = line.split()
        index = graph() if name == "hnsw" else indexes[name]
        print(json.dumps(measure(index, int(probes), load(labels, "weights"), load(labels, "truth"))), flush=True)


def read_or_make(path, make):
    """Indexes are kept beside the vectors: k-means takes minutes."""
    if not path.exists():
        faiss.write_index(make(), f"{path}.partial")
        Path(f"{path}.partial").rename(path)
    return faiss.read_index(str(path))


def lists_of(vectors):
    return max(1, len(vectors) // ROWS_PER_LIST)


def build(vectors, kept):
    dims, lists, metric = vectors.shape[1], lists_of(vectors), faiss.METRIC_INNER_PRODUCT
    quantiser = kept("centres", lambda: train_lists(vectors, lists))

    nearest = cache(lambda: quantiser.search(vectors, 1)[1].ravel())

    def filled(index):
        if not index.is_trained:
            index.train(vectors[:100000])
        index.add_core(len(vectors), faiss.swig_ptr(vectors), None, faiss.swig_ptr(nearest()))
        return index

    scalar = faiss.ScalarQuantizer.QT_8bit
    flat = kept("flat", lambda: filled(faiss.IndexIVFFlat(quantiser, dims, lists, metric)))
    codes = kept("sq8", lambda: filled(faiss.IndexIVFScalarQuantizer(quantiser, dims, lists, scalar, metric)))
    exact = faiss.IndexFlatIP(dims)
    exact.add(vectors)
    refined = faiss.IndexRefine(codes, exact)
    refined.k_factor = 2
    return {"float32": exact, "ivf-flat": flat, "ivf-sq8-refined": refined}


def train_lists(vectors, lists):
    """The centres of all IVF indexes here, once: spherical k-means."""
    sample = vectors[np.random.default_rng(0).permutation(len(vectors))[: TRAINING_ROWS_PER_LIST * lists]]
    kmeans = faiss.Kmeans(vectors.shape[1], lists, niter=PASSES, seed=1,
                          max_points_per_centroid=TRAINING_ROWS_PER_LIST, spherical=True)
    kmeans.train(sample)
    quantiser = faiss.IndexFlatIP(vectors.shape[1])
    quantiser.add(kmeans.centroids)
    return quantiser


def build_graph(vectors):
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(2)
    graph = faiss.IndexHNSWFlat(vectors.shape[1], LINKS, faiss.METRIC_INNER_PRODUCT)
    graph.hnsw.efConstruction = BUILD_EFFORT
    graph.add(vectors)
    faiss.omp_set_num_threads(threads)
    return graph


def measure(index, probes, weights, truth):
    inner = index.base_index if isinstance(index, faiss.IndexRefine) else index
    inner = faiss.downcast_index(inner)
    if hasattr(inner, "nprobe"):
        inner.nprobe = probes
    if hasattr(inner, "hnsw"):
        inner.hnsw.efSearch = probes
    found, times = [], []
    wall, cpu = time.perf_counter(), time.thread_time()
    for query in weights:
        before = time.perf_counter()
        _, ids = index.search(query[None], TOP)
        times.append(1000 * (time.perf_counter() - before))
        found.append(ids[0])
    wall, cpu = time.perf_counter() - wall, time.thread_time() - cpu
    hits = [recall(ids, best[best >= 0]) for ids, best in zip(found, truth)]
    return {"recall": float(np.mean(hits)), "ms": times, "wall_ms": 1000 * wall, "cpu_ms": 1000 * cpu}


def recall(ids, best):
    return len(set(ids) & set(best)) / min(TOP, len(best))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), sys.argv[2])
