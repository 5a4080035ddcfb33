"""A set of parameters described by polynomial relations: what `stability`, `bounded`, `oscillation` and `monotone` answer."""
from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any, Callable, Iterable, Sequence

import numpy as np
from sympy import Eq, Expr, Ge, Gt, Ne, Symbol

from ..core.errors import ParameterError, RuleError
from .atoms import Atom, Formula, negation
from .generators import Generators, is_loose
from .letters import Letters
from .numbers import expression, formula_holds, holds
from .reduce import Conjunction, Context, reduce, union
from .show import write
from .symbols import symbol
from .values import fitting, number

if TYPE_CHECKING:
    from .claim import Stable
    from .every import Every
    from .proof import Proof
    from .solve import Branch

RELATIONS: dict[str, Callable] = {">": Gt, ">=": Ge, "==": Eq, "!=": Ne}


@dataclass(frozen=True)
class Boundary:
    """Where a root leaves: `kind` is fold (+1), flip (-1), neimark_sacker (circle) or hopf (flows); `curve` is zero there.

    `semisimple` tells whether the motion on the boundary stays bounded (no growing k*z**k term).
    """

    kind: str
    curve: Expr
    semisimple: bool | None = None
    text: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.text or self.curve} = 0"

    __repr__ = __str__


@dataclass(frozen=True, eq=False)
class Region:
    """All real parameters (curvatures, time step and mass positive) where one of the conjunctions holds.

    Made by `stability`, `bounded`, `oscillation`, `monotone` and `region`; combined with `&`, `|` and `~`.
    """

    union: tuple[Conjunction, ...]                       # relations in symbols; generators stand for roots and exponentials
    facts: tuple[Formula, ...] = ()                      # what was assumed
    definitions: dict = field(default_factory=dict)      # generator -> the expression that it stands for
    kinds: dict = field(default_factory=dict)            # factor -> kind of boundary
    claim: "Stable | Every | None" = None                         # what the region is said to describe
    steps: Sequence[str] = ()                            # the derivation, one LaTeX line each
    unknown: str = ""                                    # why there is no answer
    names: tuple[str, ...] = ()                          # parameters of the rule, whether they matter or not

    # -- reading -----------------------------------------------------------------------------------------------
    @property
    def conditions(self) -> tuple[tuple, ...]:
        """A tuple of conjunctions, each a tuple of sympy relations; the region is their union."""
        self._known()
        return tuple(tuple(RELATIONS[a.op](a.expr.subs(self.definitions), 0) for a in c) for c in self.union)

    def contains(self, **values: Any) -> Any:
        """Whether the parameters lie in the region: numbers or arrays by name, broadcast against each other.

        >>> from dynopt.theory.region import region
        >>> region("0 < eta*lam", "eta*lam < 2").contains(eta=[0.5, 3.0], lam=1.0).tolist()
        [True, False]
        """
        self._known()
        env = self._environment(values)
        inside: Any = False
        for conjunction in self.union:
            inside = inside | self._all(conjunction, env)
        inside = inside & self._all(self.given, env)
        for s, value in env.items():
            inside = inside & ((value > 0) if s.is_positive else (value == value))
        return bool(inside) if np.ndim(inside) == 0 else np.asarray(inside, dtype=bool)

    @cached_property
    def given(self) -> tuple[Formula, ...]:
        """The assumptions, without what is true of generators by definition."""
        own = Generators()
        for meaning in self.definitions.values():
            own.polynomial(meaning)
        return tuple(f for f in self.facts if f not in own.facts)

    @staticmethod
    def _all(formulas: Iterable[Formula], env: dict) -> Any:
        result: Any = True
        with np.errstate(all="ignore"):
            for f in formulas:
                result = result & (holds(f, env) if isinstance(f, Atom) else formula_holds(f, env))
        return result

    def _environment(self, values: dict[str, Any]) -> dict[Symbol, Any]:
        needed = {str(s) for s in self.free_symbols}
        known = needed | set(self.names)
        missing, extra = sorted(needed - set(values)), sorted(set(values) - known) if self.names else []
        if missing or extra:
            raise ParameterError(f"contains: {'missing ' + ', '.join(missing) if missing else 'unknown ' + ', '.join(extra)}; "
                                 f"expected values for {', '.join(sorted(needed)) or 'nothing'}")
        env = {symbol(name): number("contains", name, value) for name, value in values.items()}
        fitting("contains", env)
        for generator, meaning in self.definitions.items():
            with np.errstate(all="ignore"):
                env[generator] = expression(meaning, env)
        return env

    @property
    def free_symbols(self) -> frozenset[Symbol]:
        """The parameters that the region depends on."""
        atoms = [a for c in self.union for a in c] + [a for f in self.facts for a in _atoms(f)]
        inside = frozenset().union(*(a.symbols for a in atoms)) if atoms else frozenset()
        used = frozenset().union(*(self.definitions[s].free_symbols for s in inside if s in self.definitions))
        return frozenset(s for s in inside if s not in self.definitions) | used

    # -- asking ------------------------------------------------------------------------------------------------
    def equals(self, other: "Region") -> bool | None:
        """Are both the same set, wherever the assumptions of both hold? None if that was not decided in time."""
        self._both_known(other)
        there, back = self.implies(other), other.implies(self)
        return False if False in (there, back) else None if None in (there, back) else True

    def implies(self, other: "Region") -> bool | None:
        """Does every point of this region lie in the other one? None if that was not decided in time."""
        self._both_known(other)
        context = Context(_merged(self.facts, other.facts), ms=5000, seconds=20)
        return self._decided([context.ask(*c, negation(_formula(other.union))).verdict for c in self.union], other.definitions)

    @property
    def is_empty(self) -> bool | None:
        """Is there no point at all? None if that was not decided in time."""
        self._known()
        context = Context(self.facts, ms=5000, seconds=20)
        return self._decided([context.ask(*c).verdict for c in self.union])

    @property
    def is_everything(self) -> bool | None:
        """Does it hold for all parameters? None if that was not decided in time."""
        self._known()
        return self._decided([Context(self.facts, ms=5000, seconds=20).ask(negation(_formula(self.union))).verdict])

    def _decided(self, verdicts: list[str], definitions: dict | None = None) -> bool | None:
        """No point was found (True), one was (False), or neither; a point with a loose generator need not exist."""
        loose = is_loose({**self.definitions, **(definitions or {})})
        if "sat" in verdicts:
            return None if loose else False
        return None if "unknown" in verdicts else True

    def _known(self) -> None:
        if self.unknown:
            raise RuleError(f"the region is unknown: {self.unknown}")

    def _both_known(self, other: Any) -> None:
        if not isinstance(other, Region):
            raise RuleError(f"a region met {type(other).__name__} {other!r:.40}, expected another region; write region('0 < eta')")
        self._known()
        other._known()

    # -- combining ---------------------------------------------------------------------------------------------
    def __and__(self, other: "Region") -> "Region":
        self._both_known(other)
        return self._combined(other, [(*a, *b) for a, b in product(self.union, other.union)], _merged(self.facts, other.facts))

    def __or__(self, other: "Region") -> "Region":
        self._both_known(other)
        if set(self.facts) == set(other.facts):
            return self._combined(other, [*self.union, *other.union], self.facts)
        inner = [_with_facts(r) for r in (self, other)]
        return self._combined(other, [c for part in inner for c in part], ())

    def __invert__(self) -> "Region":
        """The points outside, under the same assumptions."""
        self._known()
        rest: list[Conjunction] = [()]
        for conjunction in self.union:
            rest = [(*c, a.negated) for c in rest for a in conjunction]
        return self._combined(self, rest, self.facts)

    def _combined(self, other: "Region", conjunctions: Iterable, facts: tuple) -> "Region":
        context = Context(facts)
        parts = union((c for parts in (reduce(c, context) for c in conjunctions) for c in parts), context)
        if len(parts) > 1 and context.impossible(negation(_formula(parts))):
            parts = ((),)
        return Region(parts, facts, {**self.definitions, **other.definitions}, {**other.kinds, **self.kinds},
                      names=tuple(dict.fromkeys(self.names + other.names)) if self.names and other.names else ())

    # -- writing -----------------------------------------------------------------------------------------------
    def _write(self, style: str) -> str:
        if self.unknown:
            return f"unknown: {self.unknown}"
        return write(self.union, Context(self.facts), Letters(style, self.definitions), self.kinds)

    @cached_property
    def _text(self) -> str:
        return self._write("text")

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return self._text if self.claim is None or self.unknown else f"{self._text}        {self.proof.status}"

    @cached_property
    def latex(self) -> str:
        """The conditions in LaTeX, without dollar signs."""
        return self._write("latex") if not self.unknown else rf"\text{{unknown: {self.unknown}}}"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex}$"

    def plot(self, ax: Any = None, **options: Any) -> Any:
        from ..plot.regions import plot_region
        return plot_region(self, ax, **options)

    # -- what follows from it ----------------------------------------------------------------------------------
    @cached_property
    def boundaries(self) -> tuple[Boundary, ...]:
        """The pieces of the rim that a root crosses, by kind."""
        from .boundaries import boundaries
        return () if self.unknown else boundaries(self)

    def solve(self, name: str) -> "tuple[Branch, ...]":
        """The region as intervals of one parameter, each with the condition on the others under which it holds."""
        from .solve import solve
        self._known()
        names = sorted({str(s) for s in self.free_symbols} | set(self.names))
        if names and name not in names:
            raise ParameterError(f"solve: found {name!r}, expected one of {', '.join(names)}")
        return solve(self, symbol(name))

    @cached_property
    def proof(self) -> "Proof":
        """Why the region is right: made on first use, kept."""
        from .proof import prove
        return prove(self)


def checked(found: Region) -> Region:
    """The region, withdrawn where a quick test of two thousand points contradicts it: never a wrong answer."""
    from .sampling import check
    wrong = check(found, points=2000, rational=100).counterexample if found.claim is not None and not found.unknown else None
    if wrong is None:
        return found
    point = ", ".join(f"{n} = {v}" for n, v in sorted(wrong.items()))
    return Region((), unknown=f"the derivation contradicts its own test at {point}")


def region(*relations: Any, given: Iterable[Any] = ()) -> Region:
    """The region where all relations hold: text such as "|beta| < 1", or sympy relations, And, Or, Not.

    >>> print(region("abs(beta) < 1", "eta*lam > 0", "eta*lam < 2*(1 + beta)"))
    |beta| < 1, 0 < eta*lam < 2*(1 + beta)
    """
    from .relations import assumptions, read
    found, known, definitions = read(relations)
    facts, more = assumptions(given)
    facts = _merged(facts, known)
    context = Context(facts)
    parts = union((c for conj in found for c in reduce(conj, context)), context)
    return Region(parts, facts, {**definitions, **more})


def _atoms(formula: Formula) -> list[Atom]:
    return [formula] if isinstance(formula, Atom) else [a for part in formula[1:] for a in _atoms(part)]


def _formula(parts: tuple[Conjunction, ...]) -> Formula:
    return ("or", *(("and", *c) for c in parts))


def _merged(a: tuple, b: tuple) -> tuple:
    return tuple(dict.fromkeys(a + b))


def _with_facts(r: Region) -> list[Conjunction]:
    facts = tuple(f for f in r.facts if isinstance(f, Atom))
    if len(facts) < len(r.facts):
        raise RuleError("regions under different assumptions with alternatives cannot be joined; give both the same `given=`")
    return [(*c, *facts) for c in r.union]
