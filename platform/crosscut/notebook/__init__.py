"""Sweeps in a notebook or a script: what the command line does, with data frames out."""
