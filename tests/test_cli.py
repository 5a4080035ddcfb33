"""The command line: answers on stdout, one message for each mistake on stderr, exit codes 0, 1, 2 and 130."""
from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import typer

from dynopt.cli import main
from dynopt.cli_rules import find_rule, settings
from dynopt.core.errors import ParameterError, RuleError

RULES = '''
from dynopt import method, flow

@method(source="Polyak 1964, eq. (9)")
def momentum(x, v, *, eta, beta, grad):
    v = beta*v + eta*grad(x)
    return x - v, v

@flow
def oscillator(x, v, *, gamma, grad):
    return v, -gamma*v - grad(x)

@method
def too_many(x, *, eta, grad):
    return x - eta*grad(x), x

@method
def branching(x, *, eta, grad):
    if x > 0:
        return x - eta*grad(x)
    return x

@method
def ufunc(x, *, eta, grad):
    import numpy
    return x - eta*numpy.arctan(grad(x))

def plain(x):
    return x
'''


@pytest.fixture
def rules(tmp_path):
    path = tmp_path / "my rules é.py"
    path.write_text(RULES, encoding="utf-8")
    return str(path)


def run(*arguments: str, capsys) -> tuple[int, str, str]:
    code = main(list(arguments))
    out, err = capsys.readouterr()
    return code, out, err


def refused(capsys, *arguments: str) -> str:
    """The message of a command that was misused: exit code 2, nothing on stdout, no traceback, a few lines."""
    code, out, err = run(*arguments, capsys=capsys)
    assert (code, out) == (2, ""), err
    assert "Traceback" not in err and len(err.strip().splitlines()) <= 3, err
    return err


def test_derive_prints_region_proof_and_boundaries(capsys):
    code, out, err = run("derive", "heavy_ball", capsys=capsys)
    assert (code, err) == (0, "")
    assert "stable iff  |beta| < 1, 0 < eta*lam < 2*(1 + beta)" in out
    assert "proof       proved" in out
    assert "flip" in out


def test_derive_a_function_in_a_file_whose_name_has_spaces_and_accents(capsys, rules):
    code, out, _ = run("derive", f"{rules}:momentum", capsys=capsys)
    assert code == 0
    assert "0 < eta*lam < 2*(1 + beta)" in out and "proved" in out


def test_derive_for_every_curvature_between_two(capsys):
    code, out, _ = run("derive", "gradient_descent", "--over", "mu", "L", capsys=capsys)
    assert code == 0 and "2/L" in out or "eta*L < 2" in out


def test_derive_text_latex_and_derivation(capsys):
    code, out, _ = run("derive", "--expr", "x = x - eta*grad(x)", "--latex", capsys=capsys)
    assert code == 0 and r"\eta" in out and r"\lambda" in out
    code, out, _ = run("derive", "gradient_descent", "--steps", capsys=capsys)
    assert code == 0 and len(out.splitlines()) > 4


def test_derive_solves_and_shows_replayable_proofs(capsys):
    code, out, _ = run("derive", "heavy_ball", "--solve", "eta", capsys=capsys)
    assert code == 0 and "eta in" in out
    code, out, _ = run("derive", "gradient_descent", "--smt2", capsys=capsys)
    assert code == 0 and "(check-sat)" in out


def test_a_scheme_of_a_flow_is_a_rule():
    rule = find_rule("symplectic_euler(damped)")
    assert set(rule.params) >= {"h", "gamma"}


def test_catalog_lists_every_rule_for_people_and_programs(capsys):
    code, out, _ = run("catalog", "eq. (9)", capsys=capsys)
    [line] = [text for text in out.splitlines() if text.strip().startswith("heavy_ball ")]
    assert code == 0 and "|beta| < 1, 0 < eta*lam < 2*(1 + beta)" in line and "Polyak 1964" in line
    code, out, _ = run("catalog", "RMSProp", capsys=capsys)
    assert code == 0 and "0 < eta*lam < 2  [v held fixed]" in out
    code, out, _ = run("catalog", "signSGD", capsys=capsys)
    assert code == 0 and "unknown: " in out
    code, out, _ = run("catalog", "--json", capsys=capsys)
    names = {entry["name"] for entry in json.loads(out)}
    assert {"heavy_ball", "damped", "symplectic_euler"} <= names
    code, out, _ = run("catalog", "polyak", capsys=capsys)
    assert "heavy_ball" in out and "leapfrog" not in out


def test_a_region_of_the_catalogue_is_derived_once(capsys, monkeypatch, tmp_path):
    """The second time it comes from disk, unless nothing is kept or the theory has changed."""
    from dynopt import cli_catalog
    monkeypatch.setenv("DYNOPT_CACHE_DIR", str(tmp_path))
    first = run("catalog", "Cauchy", capsys=capsys)
    assert "n = 2" in run("catalog", "chebyshev_roots", capsys=capsys)[1], "counts are open in the catalogue"
    asked = []
    monkeypatch.setattr("dynopt.theory.usual.usual", lambda rule: asked.append(rule.name) or (_ for _ in ()).throw(RuleError("asked")))
    assert run("catalog", "Cauchy", capsys=capsys) == first and "0 < eta*lam < 2" in first[1] and not asked
    monkeypatch.setattr(cli_catalog, "_theory", lambda: "another")
    code, _, err = run("catalog", "Cauchy", capsys=capsys)
    assert (code, err) == (2, "dynopt: asked\n") and len(asked) == 1


def test_what_programs_read(capsys):
    code, out, _ = run("derive", "heavy_ball", "--json", "--solve", "eta", capsys=capsys)
    told = json.loads(out)
    assert code == 0 and told["region"] == "|beta| < 1, 0 < eta*lam < 2*(1 + beta)" and told["proof"]["status"] == "proved"
    assert {b["kind"] for b in told["boundaries"]} >= {"flip"} and len(told["solved for eta"]) == 1
    code, out, _ = run("describe", "gradient_descent", "--json", capsys=capsys)
    assert code == 0 and {"title": "rate", "text": "|1 - eta*lam|"}.items() <= json.loads(out)["entries"][3].items()
    code, out, _ = run("compare", "symplectic_euler(damped)", "--gamma", "1", "--problem", "himmelblau", "--x0", "-1,-2.5",
                       "--until", "2", "--json", capsys=capsys)
    assert code == 0 and .8 < json.loads(out)["order"] < 1.2 and len(json.loads(out)["distances"]) == 3


def test_misuse_points_at_the_help_of_its_command(capsys):
    assert "`dynopt figure --help`" in refused(capsys, "figure", "heavy_ball", "--out", "a.svg", "--xlim", "1")
    assert "--where eta=h**2" in refused(capsys, "compare", "heavy_ball")


def test_no_color_means_plain(monkeypatch):
    from dynopt.cli_show import bold
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert bold("name") != "name"
    monkeypatch.setenv("NO_COLOR", "1")
    assert bold("name") == "name"


def test_every_command_has_an_example_that_names_it():
    from dynopt.cli import app
    commands = typer.main.get_command(app).commands
    assert set(commands) == {"derive", "describe", "catalog", "studies", "compare", "figure", "sweep", "report", "explore"}
    for name, command in commands.items():
        assert "Examples:" in command.epilog and f"dynopt {name}" in command.epilog
        assert len(command.short_help) <= 66, "longer words are cut at 80 columns"


@pytest.mark.parametrize("name, expected", [
    ("too_many", "too_many"), ("branching", "where"), ("ufunc", "arctan"), ("plain", "no rule"), ("missing", "found no function"),
])
def test_a_wrong_file_or_rule_is_one_message(capsys, rules, name, expected):
    assert expected in refused(capsys, "derive", f"{rules}:{name}")


@pytest.mark.parametrize("content, expected", [
    ("def broken(:\n", "line 1: SyntaxError"), ("\n\nundefined\n", "line 3: NameError"), ("raise SystemExit(3)", "SystemExit"),
])
def test_a_file_that_does_not_load_names_its_line(capsys, tmp_path, content, expected):
    path = tmp_path / "faulty.py"
    path.write_text(content)
    assert expected in refused(capsys, "derive", f"{path}:rule")


@pytest.mark.parametrize("arguments, expected", [
    (["derive", "heavy_bal"], "did you mean heavy_ball"),
    (["derive"], "expected a rule"),
    (["derive", "no/such/file.py:rule"], "there is no file"),
    (["derive", "heavy_ball", "--eta"], "No such option"),
    (["derive", "rk4"], "write rk4(damped)"),
    (["derive", "heavy_ball(3)"], "takes nothing in brackets"),
    (["derive", "heavy_ball", "--question", "truth"], "expected one of stability"),
    (["derive", "heavy_ball", "--where", "gama=1"], "gama"),
    (["derive", "--expr", "__import__('os').system('true')"], "expression"),
    (["derive", "--expr", "x = x - eta*grad(x).__class__"], "expression"),
    (["derive", "--expr", "$(touch /tmp/owned)"], "expression"),
    (["derive", "__import__('os')"], "__import__"),
    (["derive", "().__class__"], "rule"),
    (["conjure"], "No such command"),
])
def test_misuse_is_one_message_and_exit_code_2(capsys, arguments, expected):
    assert expected in refused(capsys, *arguments)


def test_a_minus_sign_belongs_to_its_number():
    assert settings(["--eta=-0.1", "--beta", "-0.5", "gamma=2*sqrt(mu)", "--n", "3"]) == {
        "eta": -0.1, "beta": -0.5, "gamma": "2*sqrt(mu)", "n": 3}
    for wrong in (["--eta"], ["0.1"], ["--=3"], ["--eta="]):
        with pytest.raises(ParameterError, match="write --"):
            settings(wrong)


def test_names_never_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for text in ("open('owned', 'w')", "[x for x in ()]", "lambda: 0", "heavy_ball.function", "1 if 1 else 2"):
        with pytest.raises(RuleError):
            find_rule(text)
    assert not list(tmp_path.iterdir())


# ---- as a process: pipes, signals, terminals ---------------------------------------------------------------------

def start(*arguments: str, **options) -> subprocess.Popen:
    pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return subprocess.Popen([sys.executable, "-m", "dynopt", *arguments], **pipes, **options,
                            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))


def test_a_closed_pipe_is_no_error():
    with start("catalog") as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=60) == 0
        assert process.stderr.read() == b""


def test_a_terminal_without_unicode(rules):
    environment = {**os.environ, "LANG": "C", "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    with start("derive", f"{rules}:missing", env=environment) as process:
        out, err = process.communicate(timeout=5)
    assert process.returncode == 2 and out == b"" and b"found no function" in err and b"Traceback" not in err


def test_interrupting_ends_soon_with_130(tmp_path):
    path = tmp_path / "slow.py"
    path.write_text("import time, pathlib\npathlib.Path(__file__).with_name('started').touch()\ntime.sleep(60)\n")
    with start("derive", f"{path}:rule") as process:
        for _ in range(600):
            if (tmp_path / "started").exists():
                break
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=5)
    assert process.returncode == 130 and err == b"dynopt: interrupted\n"


def test_studies_are_listed_run_and_drawn(capsys, tmp_path):
    code, out, _ = run("studies", "--list", capsys=capsys)
    assert code == 0 and out.startswith("Q01")
    code, out, _ = run("studies", "q01", "--figures", str(tmp_path), capsys=capsys)
    assert code == 0 and "verdict" in out and "DISAGREES" not in out and f"picture     {tmp_path/'Q01.svg'}" in out
    assert {path.name for path in tmp_path.iterdir()} == {"Q01.svg", "Q01.png", "index.html"}
    code, out, _ = run("studies", "Q01", "--json", "--figures", str(tmp_path), capsys=capsys)
    assert code == 0 and json.loads(out)[0]["agree"] is True
    assert "--list" in refused(capsys, "studies", "Z99")


def test_compare_prints_the_order(capsys):
    code, out, _ = run("compare", "symplectic_euler(damped)", "damped", "--gamma", "1", "--problem", "himmelblau", "--x0", "-1,-2.5",
                       "--until", "2", capsys=capsys)
    assert code == 0 and "observed order 1.0" in out or "observed order 0.9" in out
    code, out, _ = run("compare", "heavy_ball", "--where", "eta=h**2", "--where", "beta=1 - gamma*h", "--gamma=4", "--until", "1",
                       capsys=capsys)
    assert code == 0 and "heavy_ball against damped" in out
    assert "gamma" in refused(capsys, "compare", "symplectic_euler(damped)")
    assert "where" in refused(capsys, "compare", "heavy_ball", "--gamma", "1")
    assert "damping" in refused(capsys, "compare", "symplectic_euler(damped)", "--gamma", "1", "--damping", "2")
    assert "numbers" in refused(capsys, "compare", "symplectic_euler(damped)", "--gamma", "1", "--x0", "here")


def test_a_figure_is_drawn_and_never_overwritten_unasked(capsys, tmp_path):
    path = tmp_path / "region.svg"
    code, out, _ = run("figure", "heavy_ball", "--out", str(path), "--lam", "1", capsys=capsys)
    assert code == 0 and "wrote" in out and path.read_text().count("<svg") == 1
    assert main(["figure", "heavy_ball", "--out", str(path), "--lam", "1"]) == 1
    assert "--force" in capsys.readouterr().err
    assert main(["figure", "heavy_ball", "--out", str(path), "--lam", "1", "--force"]) == 0
    capsys.readouterr()
    assert "unknown parameter 'gama'" in refused(capsys, "figure", "heavy_ball", "--out", str(tmp_path/"b.png"), "--gama=1")
    assert ".svg" in refused(capsys, "figure", "heavy_ball", "--out", str(tmp_path/"b.gif"), "--lam", "1")
    assert main(["figure", "heavy_ball", "--out", str(tmp_path/"no"/"b.png"), "--lam", "1"]) == 1
    assert not [entry for entry in tmp_path.iterdir() if entry.name != "region.svg"]


def test_describe_prints_one_page(capsys):
    code, out, _ = run("describe", "gradient_descent", capsys=capsys)
    assert code == 0 and "0 < eta*lam < 2" in out and "proved" in out
