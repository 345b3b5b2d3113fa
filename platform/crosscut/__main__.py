"""`python -m crosscut`."""

from crosscut.cli import main

main()
