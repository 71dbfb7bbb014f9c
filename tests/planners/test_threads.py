"""A suggestion keeps to one thread of linear algebra and leaves the setting as it was."""

import numpy as np
from threadpoolctl import threadpool_info

from planners.threads import one_thread


def blas_threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_linear_algebra_has_one_thread_inside_and_what_it_had_outside():
    np.linalg.inv(np.eye(3))  # so that the library is loaded
    before = blas_threads()
    with one_thread():
        assert set(blas_threads()) == {1}
    assert blas_threads() == before
