"""scikit-learn's online LDA on the corpus in a folder, with the settings given; see reference.ts beside this file.

  python3 reference.py check                       exit 0 when scikit-learn is there; prints its version
  python3 reference.py train FOLDER SETTINGS_JSON  writes reference.npy (topics x words); prints a JSON line
"""

import json
import sys
import time

import numpy as np
import scipy.sparse
import sklearn
from sklearn.decomposition import LatentDirichletAllocation


def matrix(folder, name, words):
    starts, numbers, counts = (np.load(f"{folder}/{name}_{part}.npy") for part in ("starts", "words", "counts"))
    return scipy.sparse.csr_matrix((counts.astype(np.float64), numbers, starts), shape=(len(starts) - 1, words))


def prepared(model, components):
    """A model with given counts, as fit() would leave it."""
    from sklearn.decomposition._lda import _dirichlet_expectation_2d

    model.components_ = components.astype(np.float64)
    model.exp_dirichlet_component_ = np.exp(_dirichlet_expectation_2d(model.components_))
    return model


def main():
    if sys.argv[1] == "check":
        print(sklearn.__version__)
        return
    folder, given = sys.argv[2], json.loads(sys.argv[3])
    train, held_out = (matrix(folder, name, given["words"]) for name in ("train", "held_out"))
    model = LatentDirichletAllocation(
        n_components=given["topics"],
        doc_topic_prior=given["prior"],
        topic_word_prior=given["wordPrior"],
        learning_method="online",
        learning_decay=given["decay"],
        learning_offset=given["offset"],
        max_iter=given["passes"],
        batch_size=given["batch"],
        max_doc_update_iter=100,
        mean_change_tol=1e-3,
        random_state=given["seed"],
        n_jobs=1,
    )
    started = time.process_time()
    model.fit(train)
    seconds = time.process_time() - started
    np.save(f"{folder}/reference.npy", np.ascontiguousarray(model.components_.T.astype(np.float32)))
    # Its own figure for both: the variational bound, with what the held-out texts say of the topics themselves.
    bound = model.perplexity(held_out)
    ours = prepared(model, np.load(f"{folder}/ours.npy").T).perplexity(held_out)
    print(json.dumps({"seconds": seconds, "bound": bound, "boundOfOurs": ours}))


main()
