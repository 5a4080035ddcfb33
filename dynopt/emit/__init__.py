"""Floor 2: programs become text. One lowering (`lower.py`), several printers (`loops.py`, ...); nothing is run here.

May import core only. To add a language: a printer over `Lowered`, with a test that it agrees with the declaration.
"""
