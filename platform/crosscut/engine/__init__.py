"""The engine: carries a plan out on Ray."""
