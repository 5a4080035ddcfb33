"""Real data to put rules on; they come with scikit-learn, which is loaded when they are asked for."""
from __future__ import annotations

import numpy as np

from ..core.errors import ParameterError

SETS = ("breast_cancer", "diabetes", "digits", "wine")


def dataset(name: str, *, standardized: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Features, shape (n, d), and target, shape (n,), of one of scikit-learn's own data sets.

    name : breast_cancer, diabetes, digits or wine; standardized : features (constant ones left out) with mean 0 and deviation 1.
    Raises ParameterError for another name, ImportError where scikit-learn is missing.

    >>> X, y = dataset("diabetes")
    >>> X.shape, bool(abs(X.mean(axis=0)).max() < 1e-12)
    ((442, 10), True)
    """
    if name not in SETS:
        raise ParameterError(f"data set {name!r}: expected one of {', '.join(SETS)}")
    try:
        import sklearn.datasets
    except ImportError:
        raise ImportError("the data sets come with scikit-learn, which is not installed; "
                          "run `pip install 'dynopt[data]'`") from None
    X, y = getattr(sklearn.datasets, f"load_{name}")(return_X_y=True)
    if standardized:
        X = X[:, X.std(axis=0) > 0]
        X = (X - X.mean(axis=0))/X.std(axis=0)
    return X, y
