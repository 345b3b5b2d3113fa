"""The sweep file: read, checked, and turned into values."""
