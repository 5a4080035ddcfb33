"""Floor 4: live pages. `page.py` gathers a rule (`rules.py`; what theory knows of it, `derived.py`) and problems (`problems.py`, `games.py`),
`bundle.py` makes one file, `static/` is our own JavaScript.

May import everything below. To add a page: a file `static/page_<name>.js` with a class that draws it, and a line in `pages.py`.
The page runs the printed rule itself (`emit/js.py`); it never contains a formula typed by hand. `dynopt.explore` is the function of
`page.py`, whatever was imported before; what else lives here is imported by its path, as in `from dynopt.explore.pages import PAGES`.
"""
