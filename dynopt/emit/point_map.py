"""The largest modulus of the roots of polynomials whose coefficients depend on parameters, over rows of points, as LLVM text.

Degrees one and two by formula; beyond, bisection for the radius of the circle that holds all roots, by the division-free test of
Schur and Cohn (Schur 1917, section 1): p has all roots inside the unit circle if and only if |p_0| < |p_n| and so has
q(z) = (p_n p(z) - p_0 z^n p(1/z))/z.
"""
from __future__ import annotations

from typing import Callable, Sequence

from .entries import Value, Values, order
from .lane_functions import number
from .lanes import Body, Text
from .regroup import Regrouped

GEOMETRIC, ARITHMETIC, FLOOR = 10, 48, 1e-16      # halvings of the exponent, then of the number; roots below FLOOR of the bound are one
ARGUMENTS = "i64 %lo, i64 %hi, i64 %cols, ptr %numbers, ptr %strides, ptr %out"


def radius_text(make: Values, factors: Sequence[Sequence[Value]], width: int) -> tuple[str, tuple[str, ...]]:
    """Text of `map` over rows lo..hi-1 of points, and the parameters in the order of its table; `factors` leading first."""
    return _Map(make, factors, width).made()


class _Map:
    def __init__(self, make: Values, factors: Sequence[Sequence[Value]], width: int):
        self.make, self.text = make, Text(width)
        flat = [c for f in factors for c in f]
        new = iter(Regrouped(make, flat).roots(flat))
        self.factors = [[next(new) for _ in f] for f in factors]
        self.nodes = order([c for f in self.factors for c in f])
        self.params = [v for v in self.nodes if v.op == "param"]

    def made(self) -> tuple[str, tuple[str, ...]]:
        text = self.text
        text.label("entry")
        text.add(f"%last = sub i64 %cols, {text.width}", "br label %rows")
        text.label("rows")
        text.add("%row = phi i64 [ %lo, %entry ], [ %row.next, %row.end ]", "%row.next = add i64 %row, 1",
                 "%row.more = icmp slt i64 %row, %hi", "br i1 %row.more, label %row.start, label %exit")
        text.label("exit")
        text.add("ret void")
        text.label("row.end")
        text.add("br label %rows")
        text.label("row.start")
        pointers = {v: self._row(i) for i, v in enumerate(self.params)}
        shared = Body(text, {v: text.new(f"load double, ptr {p}") for v, p in pointers.items() if not v.lane})
        shared.print([v for v in self.nodes if not v.lane and v.args])
        text.add("br label %points")
        text.label("points")
        text.add("%at = phi i64 [ 0, %row.start ], [ %at.next, %point.end ]", f"%at.next = add i64 %at, {text.width}")
        text.declared.add("declare i64 @llvm.smin.i64(i64, i64)")
        text.add("%col = call i64 @llvm.smin.i64(i64 %at, i64 %last)")
        lanes = {v: self._load(p) for v, p in pointers.items() if v.lane}
        self.body = Body(text, shared.names | lanes)
        self.body.print(self.nodes)
        found = self._largest([self._radius(i, [self.body.wanted(c, True) for c in f]) for i, f in enumerate(self.factors)])
        place = text.new(f"add i64 {text.new('mul i64 %row, %cols')}, %col")
        text.add(f"store {text.real} {found}, ptr {text.new(f'getelementptr double, ptr %out, i64 {place}')}, align 8", "br label %point.end")
        text.label("point.end")
        text.add("%more = icmp slt i64 %at.next, %cols", "br i1 %more, label %points, label %row.end")
        attributes = 'attributes #0 = { nounwind "prefer-vector-width"="512" "min-legal-vector-width"="512" }'
        lines = [f"define void @map({ARGUMENTS}) #0 {{", *text.lines, "}", *sorted(text.declared), attributes, "attributes #1 = { nounwind }", ""]
        return "\n".join(lines), tuple(v.data for v in self.params)

    def _row(self, i: int) -> str:
        text = self.text
        start = text.new(f"load ptr, ptr {text.new(f'getelementptr ptr, ptr %numbers, i64 {i}')}")
        stride = text.new(f"load i64, ptr {text.new(f'getelementptr i64, ptr %strides, i64 {i}')}")
        return text.new(f"getelementptr double, ptr {start}, i64 {text.new(f'mul i64 %row, {stride}')}")

    def _load(self, pointer: str) -> str:
        place = self.text.new(f"getelementptr double, ptr {pointer}, i64 %col")
        return self.text.new(f"load {self.text.real}, ptr {place}, align 8")

    # -- arithmetic on registers -----------------------------------------------------------------------------------
    def _constant(self, value: float) -> str:
        return self.text.splat("double", number(value))

    def _op(self, name: str, a: str, b: str) -> str:
        return self.text.new(f"{name} {self.text.real} {a}, {b}")

    def _fma(self, a: str, b: str, c: str) -> str:
        return self.text.call("fma", self.text.real, [a, b, c])

    def _minus(self, a: str) -> str:
        return self.text.new(f"fneg {self.text.real} {a}")

    def _abs(self, a: str) -> str:
        return self.text.call("fabs", self.text.real, [a])

    def _sqrt(self, a: str) -> str:
        return self.text.call("sqrt", self.text.real, [a])

    def _pick(self, truth: str, a: str, b: str) -> str:
        return self.text.new(f"select {self.text.truth} {truth}, {self.text.real} {a}, {self.text.real} {b}")

    def _compare(self, how: str, a: str, b: str) -> str:
        return self.text.new(f"fcmp {how} {self.text.real} {a}, {b}")

    def _largest(self, values: Sequence[str]) -> str:
        """The largest of some numbers, NaN where one is."""
        found = values[0]
        for v in values[1:]:
            found = self._pick(self._compare("ult", found, v), v, found)
        return found

    # -- radii -----------------------------------------------------------------------------------------------------
    def _radius(self, index: int, c: list[str]) -> str:
        """Largest modulus of a root of c[0] z^n + ... + c[n]."""
        if self.factors[index][0] is not self.make.one:
            c = [self._constant(1), *(self._op("fdiv", a, c[0]) for a in c[1:])]
        if len(c) == 2:
            return self._abs(c[1])
        return self._two(index, c[1], c[2]) if len(c) == 3 else self._many(index, c)

    def _two(self, index: int, b: str, c: str) -> str:
        """z^2 + b z + c: sqrt(c) for a complex pair, else |b|/2 + sqrt(b^2/4 - c)."""
        half = self._op("fmul", self._abs(b), self._constant(.5))
        inner = self._fma(half, half, self._minus(c))
        pair = self._compare("olt", inner, self._constant(0))
        product = self.factors[index][2]
        if product.lane or self.factors[index][0] is not self.make.one:
            return self._op("fadd", self._sqrt(self._pick(pair, c, inner)), self._pick(pair, self._constant(0), half))
        return self._apart(index, product, half, inner, pair)

    def _apart(self, index: int, product: Value, half: str, inner: str, pair: str) -> str:
        """Where c is the same along the row, its root is taken once, and no other where all pairs are complex."""
        text = self.text
        root = text.splat("double", text.call("sqrt", "double", [self.body.wanted(product, False)]))
        some = text.any(text.new(f"xor {text.truth} {pair}, {text.splat('i1', 'true')}"))
        text.add(f"br label %two{index}.before")
        text.label(f"two{index}.before")
        text.add(f"br i1 {some}, label %two{index}.real, label %two{index}.after")
        text.label(f"two{index}.real")
        found = self._pick(pair, root, self._op("fadd", half, self._sqrt(inner)))
        text.add(f"br label %two{index}.after")
        text.label(f"two{index}.after")
        return text.new(f"phi {text.real} [ {root}, %two{index}.before ], [ {found}, %two{index}.real ]")

    def _inside(self, c: list[str], s: str) -> str:
        """Whether all roots lie inside |z| < 1/s: the coefficients of p(z/s) s^n by Schur and Cohn."""
        scaled, power = [c[0]], s
        for k, a in enumerate(c[1:], 1):
            scaled.append(self._op("fmul", a, power))
            power = self._op("fmul", power, s) if k < len(c) - 1 else power
        p, truth = scaled[::-1], None                               # constant term first
        while len(p) > 1:
            fine = self._compare("olt", self._abs(p[0]), self._abs(p[-1]))
            truth = self.text.new(f"and {self.text.truth} {truth}, {fine}") if truth else fine
            if len(p) > 2:
                p = [self._fma(p[-1], p[k + 1], self._minus(self._op("fmul", p[0], p[-2 - k]))) for k in range(len(p) - 1)]
            else:
                p = p[:1]
        return truth

    def _many(self, index: int, c: list[str]) -> str:
        bound = self._op("fadd", self._largest([self._abs(a) for a in c[1:]]), self._constant(1))          # Cauchy's
        low = self._op("fdiv", self._constant(1), bound)
        high = self._op("fmul", low, self._constant(1/FLOOR))
        low, high = self._halved(f"g{index}", GEOMETRIC, c, low, high, lambda a, b: self._sqrt(self._op("fmul", a, b)))
        low, high = self._halved(f"a{index}", ARITHMETIC, c, low, high,
                                 lambda a, b: self._op("fmul", self._op("fadd", a, b), self._constant(.5)))
        found = self._op("fdiv", self._constant(2), self._op("fadd", low, high))
        return self._pick(self._compare("oeq", bound, bound), found, bound)                              # NaN stays NaN

    def _halved(self, name: str, count: int, c: list[str], low: str, high: str, middle: Callable) -> tuple[str, str]:
        """low < s < high, low inside and high outside, after some halvings."""
        text = self.text
        text.add(f"br label %{name}.before")
        text.label(f"{name}.before")
        text.add(f"br label %{name}")
        text.label(name)
        text.add(f"%{name}.i = phi i64 [ 0, %{name}.before ], [ %{name}.next, %{name} ]",
                 *(f"%{name}.{side} = phi {text.real} [ {start}, %{name}.before ], [ %{name}.{side}.new, %{name} ]"
                   for side, start in (("low", low), ("high", high))))
        s = middle(f"%{name}.low", f"%{name}.high")
        fine = self._inside(c, s)
        text.add(f"%{name}.low.new = select {text.truth} {fine}, {text.real} {s}, {text.real} %{name}.low",
                 f"%{name}.high.new = select {text.truth} {fine}, {text.real} %{name}.high, {text.real} {s}",
                 f"%{name}.next = add i64 %{name}.i, 1", f"%{name}.more = icmp slt i64 %{name}.next, {count}",
                 f"br i1 %{name}.more, label %{name}, label %{name}.after")
        text.label(f"{name}.after")
        return f"%{name}.low.new", f"%{name}.high.new"
