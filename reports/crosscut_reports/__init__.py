"""From scores to contrasts, verdicts and a report. Knows NumPy and SciPy, not torch and not Ray."""
