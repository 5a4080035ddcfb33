"""LLVM text becomes machine code, kept on disk; loading a kept kernel needs neither numba nor a compiler run."""
from __future__ import annotations

import ctypes
import threading
from functools import cache, lru_cache
from typing import Any, Callable

import llvmlite
import llvmlite.binding as llvm

from .cache import key_of, load, save

I64, REAL, POINTER = ctypes.c_int64, ctypes.c_double, ctypes.c_void_p
_lock = threading.Lock()
_engines: list[Any] = []                            # machine code lives as long as its engine


@cache
def _machine() -> Any:
    """The machine that texts are compiled for."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return _new_machine()


def _new_machine() -> Any:
    target = llvm.Target.from_default_triple()
    return target.create_target_machine(cpu=llvm.get_host_cpu_name(), features=_features(), opt=3)


@cache
def _features() -> str:
    return llvm.get_host_cpu_features().flatten()


def lanes_of_machine() -> int:
    """How many doubles a vector register holds."""
    return 8 if "+avx512f" in _features() else 4 if "+avx" in _features() else 2


def _object(text: str) -> bytes:
    """Optimized machine code of a text."""
    module = llvm.parse_assembly(text)
    module.verify()
    module.triple = llvm.get_default_triple()
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    builder = llvm.create_pass_builder(_machine(), options)
    builder.getModulePassManager().run(module, builder)
    return _machine().emit_object(module)


def _engine(code: bytes) -> Any:
    """Code in memory; the engine owns the machine it is given."""
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _new_machine())
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return engine


def key_for(kind: str, text: str) -> str:
    """Under which name something made from a text for this machine is kept."""
    return key_of(kind, text, llvmlite.__version__, str(llvm.llvm_version_info), _machine().triple, llvm.get_host_cpu_name(), _features())


@lru_cache(maxsize=256)
def function(text: str, name: str, *kinds: Any) -> Callable:
    """The function `name` of a text as a C function of arguments of these kinds; it runs without the interpreter's lock."""
    with _lock:
        key = key_for("llvm", text)
        code = load(key)
        if code is None:
            code = _object(text)
            save(key, code)
        engine = _engine(code)
        _engines.append(engine)
    return ctypes.CFUNCTYPE(None, *kinds)(engine.get_function_address(name))


def assembly(text: str) -> str:
    """What the machine will do, to read."""
    module = llvm.parse_assembly(text)
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    builder = llvm.create_pass_builder(_machine(), options)
    builder.getModulePassManager().run(module, builder)
    return _machine().emit_assembly(module)
