"""Sweeps as jobs of a Ray cluster: what travels, and what the cluster's job server is asked."""
