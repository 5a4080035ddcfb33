"""From what is typed on the command line to a rule: a catalogue name, a scheme of a flow, a function in a file, or text."""
from __future__ import annotations

import ast
import importlib.util
import inspect
import pkgutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any

from dynopt.core.errors import ParameterError, RuleError
from dynopt.core.problem import Problem
from dynopt.core.rule import Rule

MAKERS = ("schemes", "blocks", "problems")
HOW = "write a name of `dynopt catalog`, a scheme of a flow such as 'rk4(damped)', or file.py:function"


def shelf() -> dict[str, dict[str, Any]]:
    """The public things of every catalogue module: rules, and functions that make rules, each by its name."""
    import dynopt.catalog
    modules = [import_module(f"dynopt.catalog.{info.name}") for info in pkgutil.iter_modules(dynopt.catalog.__path__)]
    drawers = {module.__name__.rpartition(".")[2]: _public(module) for module in modules}
    return {drawer: things for drawer, things in drawers.items() if things}


def _public(module: Any) -> dict[str, Any]:
    """Rules of the module, and in the drawers of makers the functions that make rules or problems."""
    things = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    makers = module.__name__.rpartition(".")[2] in MAKERS
    return {name: value for name, value in things.items() if isinstance(value, Rule) or (makers and _own(value, module))}


def _own(value: Any, module: Any) -> bool:
    """Whether a callable was made in this module, rather than imported into it."""
    home = value.__module__ if inspect.isfunction(value) else type(value).__module__
    return callable(value) and not inspect.isclass(value) and home.startswith("dynopt.catalog") and not (
        inspect.isfunction(value) and home != module.__name__)


@dataclass(frozen=True)
class Asked:
    """What was typed for a rule or a problem, and how a refusal of it reads."""

    text: str
    noun: str = "rule"

    def refusal(self, why: str) -> RuleError:
        return RuleError(f"{self.noun} {self.text!r}: {why}")

    @property
    def how(self) -> str:
        return HOW if self.noun == "rule" else "write rosenbrock or 'quadratic([1, 10])'"


def find_rule(text: str) -> Rule:
    """The rule that a command line names.

    text : "heavy_ball", "symplectic_euler(damped)" or "my_rules.py:my_method".
    Raises RuleError with the nearest names where there is none.
    """
    if ":" in text or text.endswith(".py"):
        return _from_file(text)
    found = _from_catalog(Asked(text))
    if isinstance(found, Rule):
        return found
    if isinstance(found, Problem):
        raise Asked(text).refusal(f"found a problem, expected a rule; {HOW}")
    raise Asked(text).refusal(f"found a function that makes rules, expected a rule; write {text}(damped)")


def find_problem(text: str) -> Problem:
    """The problem that a command line names: "rosenbrock" or "quadratic([1, 10])"."""
    asked = Asked(text, "problem")
    found = _from_catalog(asked)
    try:
        found = found() if inspect.isfunction(found) else found
    except TypeError:
        raise asked.refusal(f"it needs arguments; write {text}([1, 10])") from None
    if isinstance(found, Problem):
        return found
    raise asked.refusal(f"found {type(found).__name__}, expected a problem; {asked.how}")


def _from_catalog(asked: Asked) -> Any:
    known: dict[str, Any] = {}
    for things in shelf().values():
        known |= things
    try:
        tree = ast.parse(asked.text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise asked.refusal(f"this cannot be read; {asked.how}") from None
    return _build(tree, known, asked)


def _build(tree: ast.AST, known: dict[str, Any], asked: Asked) -> Any:
    """The value of a name, a number, a list, or a call of a catalogue function on such values; nothing else is understood."""
    if isinstance(tree, ast.Constant) and isinstance(tree.value, (int, float)):
        return tree.value
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub) and isinstance(tree.operand, ast.Constant):
        return -_build(tree.operand, known, asked)
    if isinstance(tree, (ast.List, ast.Tuple)):
        return [_build(part, known, asked) for part in tree.elts]
    if isinstance(tree, ast.Name):
        if tree.id not in known:
            near = get_close_matches(tree.id, known, 3)
            meant = f"; did you mean {' or '.join(near)}?" if near else ""
            raise asked.refusal(f"there is no {tree.id!r} in the catalogue{meant}\n{asked.how}")
        return known[tree.id]
    if isinstance(tree, ast.Call):
        function = _build(tree.func, known, asked)
        given = [_build(argument, known, asked) for argument in tree.args]
        named = {word.arg: _build(word.value, known, asked) for word in tree.keywords if word.arg}
        return _call(function, given, named, asked)
    raise asked.refusal(f"only names, numbers, lists and calls are understood; {asked.how}")


def _call(function: Callable, given: list, named: dict, asked: Asked) -> Any:
    if isinstance(function, Rule) or not callable(function):
        name = getattr(function, "name", function)
        raise asked.refusal(f"{name!r} is a rule already and takes nothing in brackets; {asked.how}")
    try:
        return function(*given, **named)
    except (RuleError, ParameterError):
        raise
    except (TypeError, AttributeError) as error:
        raise asked.refusal(f"{error}; {asked.how}") from error


def _from_file(text: str) -> Rule:
    path_text, _, name = text.rpartition(":") if ":" in text else (text, "", "")
    path = Path(path_text)
    if not path.is_file():
        raise RuleError(f"rule {text!r}: there is no file {str(path)!r}; {HOW}")
    module = _load(path)
    rules = {key: value for key, value in vars(module).items() if isinstance(value, Rule)}
    found = getattr(module, name, None) if name else None
    if isinstance(found, Rule):
        return found
    has = f"; rules in it: {', '.join(rules)}" if rules else "; it declares no rule: put @method or @flow above a function"
    is_plain = f"{name!r} in it is no rule, expected @method or @flow above it"
    wrong = is_plain if found is not None else f"found no function {name!r} in it"
    raise RuleError(f"{path}: {wrong if name else 'no function was named'}{has}\nwrite {path}:{next(iter(rules), 'my_method')}")


def _load(path: Path) -> Any:
    """Run a user's file as a module; whatever it raises becomes one line that names the file and the line."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise RuleError(f"{path}: this is no Python file; {HOW}")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        spec.loader.exec_module(module)
    except (RuleError, ParameterError) as error:
        raise RuleError(f"{path}: {error}") from error
    except (Exception, SystemExit) as error:
        raise RuleError(f"{path}{_line(error, path)}: {type(error).__name__}: {error}") from error
    finally:
        sys.path.pop(0)
    return module


def _line(error: BaseException, path: Path) -> str:
    """Where in the user's file an error arose, as ', line 7'."""
    if isinstance(error, SyntaxError):
        return f", line {error.lineno}"
    frames, lines = error.__traceback__, []
    while frames is not None:
        if frames.tb_frame.f_code.co_filename == str(path):
            lines.append(frames.tb_lineno)
        frames = frames.tb_next
    return f", line {lines[-1]}" if lines else ""


def number_or_text(text: str) -> Any:
    """The value of a parameter typed on the command line: a number where it is one, else the text."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text


def settings(words: list[str]) -> dict[str, Any]:
    """Parameters typed as --eta 0.1 --beta=0.9 or eta=0.1, by name; a minus sign belongs to its number."""
    values, waiting = {}, list(words)
    while waiting:
        word = waiting.pop(0)
        name, equals, value = word.removeprefix("--").partition("=")
        if not equals:
            if not word.startswith("--") or not waiting:
                raise ParameterError(f"parameter {word!r}: found no value, expected a name and its value; write --{name} 0.1")
            value = waiting.pop(0)
        if not name.replace("-", "_").isidentifier() or not value:
            raise ParameterError(f"parameter {word!r}: expected a name and its value; write --eta 0.1 or eta=0.1")
        values[name.replace("-", "_")] = number_or_text(value)
    return values
