"""``make bench``: the budgets of design §9, measured in one run, each as a ratio where the machine's speed would decide it.

One module per measurement, each with ``measure(options) -> list[Line]``; what they share lies beside them: ``lines`` (a row
of the table), ``machine``, ``processes`` (CPU from /proc), ``volumes`` (synthetic cases), ``house`` (stores and a server),
``browser``. ``python -m tests.bench`` runs all, ``python -m tests.bench ingest today`` the named ones.
"""
