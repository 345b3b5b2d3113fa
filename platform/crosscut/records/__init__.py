"""Records: what was trained, how it is named, and where it is kept."""
