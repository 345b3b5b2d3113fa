"""The engine: from a sweep file to runs on Ray to records."""
