"""scikit-learn's LogisticRegression and MLPClassifier on a labelled set; prints a JSON object of their AUC and ms.

Reads (little-endian) from the file named first: u32 training rows, test rows, dims; i8 labels of all; f32 rows of all.
The second word is the hidden layers, as 32 or 32,16; empty for logistic regression; the third is C.
"""
import json
import sys
import time
import warnings

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore")
data = open(sys.argv[1], "rb").read()
train, test, dims = np.frombuffer(data, "<u4", 3)
labels = np.frombuffer(data, "i1", train + test, 12)
rows = np.frombuffer(data[12 + train + test :], "<f4").reshape(train + test, dims)
hidden = tuple(int(units) for units in sys.argv[2].split(",") if units)
if hidden:
    model = MLPClassifier(hidden, random_state=0)
else:
    model = LogisticRegression(C=float(sys.argv[3]), class_weight="balanced", max_iter=1000)
start = time.perf_counter()
model.fit(rows[:train], labels[:train])
ms = 1000 * (time.perf_counter() - start)
scores = model.predict_proba(rows[train:])[:, 1]
print(json.dumps({"auc": roc_auc_score(labels[train:], scores), "ms": ms}))
