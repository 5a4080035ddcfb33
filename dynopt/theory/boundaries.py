def boundaries(region): return ()
