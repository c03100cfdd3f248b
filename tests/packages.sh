#!/bin/sh
# Debian packages that the tests use: Chromium, MariaDB, PostgreSQL, strace, openssl,
# faketime, nginx, promtool (in prometheus), systemd-analyze (in systemd),
# certutil (in libnss3-tools). Installed when missing and permitted; a test whose
# server is missing says so and is skipped.
set -u
want=""
command -v chromium >/dev/null 2>&1 || want="$want chromium"
[ -x /usr/sbin/mariadbd ] || want="$want mariadb-server"
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || want="$want postgresql"
command -v strace >/dev/null 2>&1 || want="$want strace"
command -v openssl >/dev/null 2>&1 || want="$want openssl"
command -v faketime >/dev/null 2>&1 || want="$want faketime"
[ -x /usr/sbin/nginx ] || want="$want nginx-light"
command -v promtool >/dev/null 2>&1 || want="$want prometheus"
command -v systemd-analyze >/dev/null 2>&1 || want="$want systemd"
command -v certutil >/dev/null 2>&1 || want="$want libnss3-tools"
[ -z "$want" ] && exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "missing, and not permitted to install:$want (their tests will be skipped)" >&2
  exit 0
fi
export DEBIAN_FRONTEND=noninteractive
# Debian starts the servers it installs; the tests run private ones, so a policy forbids that.
if [ ! -e /usr/sbin/policy-rc.d ]; then
  printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
  chmod +x /usr/sbin/policy-rc.d
  made_policy=yes
fi
apt-get update -qq && apt-get install -y -qq --no-install-recommends $want >/dev/null
status=$?
[ "${made_policy:-}" = yes ] && rm -f /usr/sbin/policy-rc.d
exit $status
