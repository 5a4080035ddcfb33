"""Pictures of what the rest of the package computed.

What lives here: one file a kind of picture (`paths phase decay regions spectra cloud animation panels`), `style`
(two palettes, files that are the same to the byte) and `labels` (direct labels that find their own place). The nouns'
own `.plot` methods are one line each, where the nouns stand. Every function takes the data first and `ax` second,
draws, and returns a dict of the artists it made, as matplotlib's own `boxplot` does.

What may be imported: `dynopt.core`, numpy, scipy, matplotlib. Nothing here runs a rule or derives a formula: a plot
draws what it is handed, so that a picture can never show something else than the object that was computed.

To add a picture: a file with one `plot_...(data, ax=None, *, ...)` built from `style.axes_of`, `style.palette` and
`labels`, a one-line `plot` on a noun if it should have it as a method, a test in `tests/test_plot_*.py`, and a script in
`figures/`.
"""
