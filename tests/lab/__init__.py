"""Faults that need more than CI gives: scripts to run by hand, their results in docs/faults.md."""
