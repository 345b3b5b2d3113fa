"""The arms of a sweep: which levels go together, and what each arm is in full."""
