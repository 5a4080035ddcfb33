"""record="last": the start and the end, also where the end comes before the last step."""
import numpy as np
import pytest

from dynopt import heavy_ball, iterate, quadratic

ENDS = {"converged": dict(eta=.03, beta=.2, stop=1e-8), "diverged": dict(eta=.09, beta=-.2), "success": dict(eta=.03, beta=.2)}


@pytest.mark.parametrize("d", [2, 80])
@pytest.mark.parametrize("status", ENDS)
def test_the_last_row_is_where_the_path_ended(status, d):
    problem, call = quadratic(np.geomspace(1, 30, d)), dict(x0=np.full(d, .5), steps=700, **ENDS[status])
    whole, ends = iterate(heavy_ball, problem, **call), iterate(heavy_ball, problem, record="last", **call)
    assert ends.status == whole.status == status and ends.lengths == 2
    assert ends.k.tolist() == [0, whole.k[-1]] and (ends.x[[0, -1]] == whole.x[[0, -1]]).all() and (ends.v[-1] == whole.v[-1]).all()
    out = {"x": np.empty((2, d)), "v": np.empty((2, d))}
    assert iterate(heavy_ball, problem, record="last", out=out, **call).success == ends.success and (out["x"] == ends.x).all()


def test_every_path_of_an_ensemble_has_its_end():
    etas = np.array([.03, .09, .031, .2])
    runs = iterate(heavy_ball, quadratic([1., 30.]), x0=[.5, .5], steps=700, eta=etas, beta=-.2, stop=1e-6, record="last")
    whole = iterate(heavy_ball, quadratic([1., 30.]), x0=[.5, .5], steps=700, eta=etas, beta=-.2, stop=1e-6)
    assert set(runs.status) == {"converged", "diverged"} and (runs.lengths == 2).all()
    for i in range(etas.size):
        assert runs.status[i] == whole.status[i] and (runs.x[i, -1] == whole.x[i, whole.lengths[i] - 1]).all()


def test_arrays_that_share_memory_cannot_be_filled():
    from dynopt.core.errors import ParameterError
    both = np.empty((5, 3))
    call = dict(x0=[1., 1.], steps=4, eta=.01, beta=.5)
    for out in ({"x": both[:, :2], "v": both[:, 1:]}, {"x": both[:, :2], "v": both[:, :2]},
                {"x": np.empty((5, 2)), "v": np.lib.stride_tricks.as_strided(both, (5, 2), (0, 8))}):
        with pytest.raises(ParameterError, match="shares memory"):
            iterate(heavy_ball, quadratic([1., 30.]), out=out, **call)
    first = iterate(heavy_ball, quadratic([1., 30.]), **call)
    assert (iterate(heavy_ball, quadratic([1., 30.]), out=first.states, **call).x[0] == 1).all()
