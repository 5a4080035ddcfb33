"""What a sceptical user did: each is refused in one message that names the subject and the cure, or answered rightly."""
import numpy as np
import pytest

from dynopt import Problem, damped, equivalent, heavy_ball, iterate, optimum, quadratic, rate, solve, stability

Q = quadratic([1, 10])


@pytest.mark.parametrize("x0", [{"x": [1, 1], "v": [1., 1, 1]}, {"x": [1, 1], "v": [0.]}, {"x": [1, 1], "v": [1, 1, 1]}])
def test_states_of_different_length_never_read_foreign_memory(x0):
    with pytest.raises(ValueError, match=r"'v'.*entries|entries.*'v'"):
        iterate(heavy_ball, Q, x0=x0, steps=5, eta=.01, beta=.5)
    with pytest.raises(ValueError, match="entries"):
        solve(damped, Q, x0=x0, until=1., gamma=1.)


def test_an_ensemble_that_does_not_broadcast():
    with pytest.raises(ValueError, match="broadcast; give arrays"):
        iterate(heavy_ball, Q, x0=np.ones((4, 2)), steps=5, eta=np.array([.1, .2, .3]), beta=.5)
    with pytest.raises(ValueError, match="rectangular"):
        iterate(heavy_ball, Q, x0=[[1, 2], [3]], steps=5, eta=.1, beta=.5)


@pytest.mark.parametrize("problem, cure", [(lambda x: (x**2).sum(), "Problem"), (3, "Problem"), ("quadratic", "quadratic")])
def test_a_problem_that_is_none(problem, cure):
    with pytest.raises(TypeError, match=cure):
        iterate(heavy_ball, problem, x0=[1, 1], steps=5, eta=.1, beta=.5)


def test_a_function_that_takes_an_entry_that_is_not_there():
    with pytest.raises(ValueError, match=r"takes x\[5\]; expected at least 6"):
        iterate(heavy_ball, Problem(lambda x: x[5]**2), x0=[.5, .3, .2], steps=20, eta=.05, beta=.5)


def test_a_gradient_of_the_wrong_shape_or_none():
    def loops(x):
        return np.array([float(x.tolist()[0]), 0.])
    with pytest.raises(ValueError, match=r"returns shape \(2,\).*expected \(3,\)"):
        iterate(heavy_ball, Problem(grad=loops), x0=[.5, .3, .2], steps=20, eta=.05, beta=.5)

    def nothing(x):
        x.tolist()
    with pytest.raises(TypeError, match="returns None"):
        iterate(heavy_ball, Problem(grad=nothing), x0=[.5, .3, .2], steps=20, eta=.05, beta=.5)


def test_a_gradient_that_changes_its_argument_changes_nothing_else():
    def greedy(x):
        for i in range(x.size):
            x[i] = 2*x[i]
        return x
    run = iterate(heavy_ball, Problem(grad=greedy), x0=[1., 1.], steps=10, eta=.1, beta=.5)
    assert np.allclose(run.x, iterate(heavy_ball, quadratic([2., 2.]), x0=[1., 1.], steps=10, eta=.1, beta=.5).x, rtol=1e-15)


def test_a_fault_inside_f_is_told():
    with pytest.raises(ValueError, match="NameError"):
        Problem(lambda x: (yy**2).sum()).grad([1., 2.])                                            # noqa: F821
    with pytest.raises(ValueError, match="ZeroDivisionError"):
        Problem(lambda x: 1/0).grad([1., 2.])


def test_products_of_vectors_and_matrices_as_numpy_writes_them():
    A = np.array([[2., 1.], [0., 3.]])
    x = np.array([1., 2.])
    assert Problem(lambda x: x @ x).grad(x).tolist() == [2., 4.]
    assert np.allclose(Problem(lambda x: x @ A @ x).grad(x), (A + A.T) @ x)
    assert np.allclose(Problem(lambda x: (x*(x @ A)).sum()).grad(x), (A + A.T) @ x)


@pytest.mark.parametrize("ask", [lambda: stability(3), lambda: rate(lambda x: x), lambda: equivalent(heavy_ball, 3), lambda: optimum(3)])
def test_what_is_no_rule_is_told_how_to_become_one(ask):
    with pytest.raises(ValueError, match="@method"):
        ask()


def test_names_that_the_rule_does_not_have():
    with pytest.raises(ValueError, match="'bta'.*beta"):
        stability(heavy_ball, given=["bta < 1"])
    with pytest.raises(ValueError, match="two ends"):
        stability(heavy_ball, over="mu")
