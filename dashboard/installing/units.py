"""The server's systemd units: one for each process, an own user, folders, the environment, timers, the clock.

Rules of the hardening: ``man systemd.exec``; ``systemd-analyze security`` scores it. Memory is bounded so that one process cannot
take the machine from the other.
"""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.installing.place import File, Place

UNITS = "/etc/systemd/system"
TARGET = "command-center.target"


@dataclass(frozen=True)
class Process:
    """A process that runs for ever. ``memory``: its hard limit; ``watchdog``: so long may it be silent (seconds)."""

    command: str
    does: str
    memory: str
    watchdog: int


PROCESSES = (
    # A store that is rebuilt from a backup keeps the leader silent for minutes: its watchdog is patient.
    Process("schedule", "collects, derives, judges and backs up", "3G", 900),
    Process("serve", "the screens", "2G", 60),
)
"""One line per process; a further one (guests) is a line here."""

HARDENING = """\
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallFilter=@chown
SystemCallErrorNumber=EPERM
UMask=0077
RemoveIPC=yes
"""


def server(place: Place) -> list[File]:
    """Everything for the server but its proxy."""
    return [
        _user(place), _folders(place), _environment(place), _by_hand(place), _target(),
        *(_process(place, one) for one in PROCESSES),
        *_timer(
            place, "drill", "restore --drill", "tries the newest backup, beside the stores", "*-*-01 03:30:00", place.data,
            place.backups,
        ),
        *_timer(place, "certificate", f"certificate --to {place.tls}", "renews the certificate in time", "Mon 04:00:00", place.tls),
        _clock(place),
    ]


def _user(place: Place) -> File:
    return File("/etc/sysusers.d/command-center.conf", f'u {place.user} - "Command Center" {place.data} /usr/sbin/nologin\n')


def _folders(place: Place) -> File:
    who = place.user
    lines = [
        f"d {place.config} 0750 root {who} -", f"d {place.secrets} 0700 {who} {who} -", f"z {place.secrets}/* 0600 {who} {who} -",
        f"d {place.tls} 0750 {who} {who} -", f"d {place.data} 0700 {who} {who} -", f"d {place.drop} 0700 {who} {who} -",
        f"d {place.backups} 0700 {who} {who} -",
    ]
    return File("/etc/tmpfiles.d/command-center.conf", "\n".join(lines) + "\n")


def _environment(place: Place) -> File:
    return File("/etc/command-center/environment", "\n".join([
        "# Read by every unit, and for commands by hand: see the documentation, \"Commands by hand\". No secret belongs here:",
        f"# those are files of their own in {place.secrets}, mode 0600.",
        f"COMMAND_CENTER_CONFIG={place.config}", f"COMMAND_CENTER_DATA={place.data}", f"COMMAND_CENTER_DROP={place.drop}",
        f"COMMAND_CENTER_SECRETS={place.secrets}", f"COMMAND_CENTER_BACKUPS={place.backups}",
        "# DATABASE_URL=postgresql+psycopg://command-center@/command_center", "",
    ]), 0o640, f"root:{place.user}")


def _by_hand(place: Place) -> File:
    return File("/usr/local/bin/command-center", f"""\
#!/bin/sh
# command-center by hand, as the services run it: their user, their environment.
set -a
. {place.config}/environment
set +a
[ "$(id -un)" = {place.user} ] && exec {place.program} "$@"
exec runuser -u {place.user} -- {place.program} "$@"
""", 0o755)


def _target() -> File:
    wants = " ".join(f"command-center-{one.command}.service" for one in PROCESSES)
    return File(f"{UNITS}/{TARGET}", f"""\
[Unit]
Description=Command Center
Wants={wants}
After=network.target

[Install]
WantedBy=multi-user.target
""")


def _process(place: Place, process: Process) -> File:
    words = [str(place.program), process.command]
    if process.command == "serve":
        words += ["--port", str(place.port)]
        words += ["--behind-proxy"] if place.proxied else [
            "--host", "0.0.0.0", "--tls-cert", f"{place.tls}/server.pem", "--tls-key", f"{place.tls}/server.key",
        ]
    return File(f"{UNITS}/command-center-{process.command}.service", f"""\
[Unit]
Description=Command Center: {process.does}
PartOf={TARGET}
Wants=time-sync.target
After=network.target time-sync.target postgresql.service
# It starts again for ever: nobody watches a wall at night.
StartLimitIntervalSec=0

[Service]
Type=notify
User={place.user}
Group={place.user}
EnvironmentFile={place.config}/environment
WorkingDirectory={place.data}
ExecStart={" ".join(words)}
Restart=always
RestartSec=2
# A store may have to be migrated or rebuilt first.
TimeoutStartSec=15min
TimeoutStopSec=20
WatchdogSec={process.watchdog}
MemoryMax={process.memory}
TasksMax=512
LimitNOFILE=16384
OOMPolicy=stop
ReadWritePaths={place.data} {place.backups}
{HARDENING}
[Install]
WantedBy={TARGET}
""")


def _timer(place: Place, name: str, command: str, does: str, when: str, *writes: object) -> list[File]:
    unit = f"command-center-{name}"
    # serve takes a renewed certificate up by itself; nginx is told, as root.
    after = "ExecStartPost=-+/usr/bin/systemctl try-reload-or-restart nginx.service\n" if name == "certificate" else ""
    return [
        File(f"{UNITS}/{unit}.service", f"""\
[Unit]
Description=Command Center: {does}

[Service]
Type=oneshot
User={place.user}
Group={place.user}
EnvironmentFile={place.config}/environment
WorkingDirectory={place.data}
ExecStart={place.program} {command}
{after}MemoryMax=2G
Nice=10
ReadWritePaths={" ".join(str(path) for path in writes)}
{HARDENING}"""),
        File(f"{UNITS}/{unit}.timer", f"""\
[Unit]
Description=Command Center: {does}

[Timer]
OnCalendar={when}
Persistent=yes
RandomizedDelaySec=10min

[Install]
WantedBy=timers.target
"""),
    ]


def _clock(place: Place) -> File:
    return File("/etc/systemd/timesyncd.conf.d/command-center.conf", clock_by(place.time))


def clock_by(server: str) -> str:
    """A machine's clock: set by ``server``; the distribution's servers without one."""
    return (
        "# The server's and the walls' clocks agree; without internet name a clock of the LAN here.\n[Time]\n"
        + (f"NTP={server}\n" if server else "# NTP=10.20.0.1\n")
    )
