"""Whether an agency gave us an account that may do more than read (E6): said with every run until it is mended."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

READS_ONLY = {"SELECT", "USAGE", "SHOW VIEW", "SHOW DATABASES"}
MOST_NAMED = 5
_POSTGRESQL = """
SELECT 'SUPERUSER' FROM pg_roles WHERE rolname = current_user AND rolsuper
UNION SELECT 'CREATE ROLE' FROM pg_roles WHERE rolname = current_user AND rolcreaterole
UNION SELECT role FROM unnest(ARRAY['pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program']) AS role
WHERE pg_has_role(current_user, role, 'MEMBER')
UNION SELECT DISTINCT privilege_type FROM information_schema.table_privileges
WHERE grantee = current_user AND privilege_type NOT IN ('SELECT', 'REFERENCES', 'TRIGGER')
"""


def excess_mysql(cursor: Any) -> list[str]:
    """The rights beyond reading of the account behind a MariaDB or MySQL connection."""
    cursor.execute("SHOW GRANTS")
    found: set[str] = set()
    for (grant,) in cursor.fetchall():
        named = re.match(r"(?i)GRANT (.+?) ON ", re.sub(r"\([^)]*\)", "", grant))
        if named:
            found |= {right.strip().upper() for right in named[1].split(",")}
    return sorted(found - READS_ONLY)


def excess_postgresql(connection: Any) -> list[str]:
    """The rights beyond reading of the account behind a PostgreSQL connection."""
    return sorted(row[0] for row in connection.execute(_POSTGRESQL).fetchall())


def warning(rights: Sequence[str]) -> tuple[str, str] | None:
    """The warning in both languages; ``None`` for an account that may only read."""
    if not rights:
        return None
    named = ", ".join(rights[:MOST_NAMED])
    return (
        f"the database account may do more than read ({named}); give one with SELECT only on the tables that are read",
        f"akun basis data boleh lebih dari membaca ({named}); berikan akun dengan SELECT saja pada tabel yang dibaca",
    )
