"""`python -m dynopt` is the command `dynopt`."""
import sys

from dynopt.cli import main

sys.exit(main())
