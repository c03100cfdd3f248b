"""Faults that need more than a test may have: root, a network of one's own, a starved machine. ``python -m tests.lab.<name>``."""
