"""Simulated agencies: processes of their own behind real protocols. They know nothing of the product.

``agency`` is one agency as a process; ``systems`` has one file per agency; ``launch`` starts and stops them all.
"""
