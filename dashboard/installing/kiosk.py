"""A wall PC: Debian, X and Chromium alone, started by systemd, back within 30 s whatever ends (V26, V27, V28)."""

from __future__ import annotations

import json
from pathlib import Path

from dashboard.installing.place import File, Place
from dashboard.installing.units import UNITS, clock_by

SCRIPT = "/usr/local/lib/command-center/wall_pc.py"
HOME = "/var/lib/command-center-wall"


def kiosk(place: Place) -> list[File]:
    """Everything for a wall PC that shows ``place.address``. Packages: chromium, xinit, xserver-xorg, python3, libnss3-tools."""
    return [
        File("/etc/sysusers.d/command-center-wall.conf", f'u wall - "Wall screen" {HOME} /usr/sbin/nologin\nm wall video\n'),
        File("/etc/tmpfiles.d/command-center-wall.conf", f"d {HOME} 0700 wall wall -\n"),
        File(SCRIPT, Path(__file__).with_name("wall_pc.py").read_text(encoding="utf-8"), 0o755),
        File(f"{UNITS}/command-center-wall.service", _UNIT.format(script=SCRIPT, address=place.address, home=HOME)),
        File("/etc/chromium/policies/managed/command-center.json", policy(place)),
        File("/etc/X11/Xwrapper.config", "allowed_users=anybody\n"),
        File("/etc/X11/xorg.conf.d/10-command-center.conf", _SCREEN),
        File("/etc/systemd/logind.conf.d/command-center.conf", _LOGIND),
        File("/etc/systemd/sleep.conf.d/command-center.conf", _SLEEP),
        File("/etc/systemd/timesyncd.conf.d/command-center-wall.conf", clock_by(place.time or place.server)),
    ]


def policy(place: Place) -> str:
    """Chromium's managed policy: nothing but the wall can be opened, and nothing of the browser comes up."""
    return json.dumps({
        "URLBlocklist": ["*"], "URLAllowlist": [place.address.removesuffix("/wall/"), "about:blank"],
        "DeveloperToolsAvailability": 2, "BrowserAddPersonEnabled": False, "BrowserGuestModeEnabled": False, "BrowserSignin": 0,
        "SyncDisabled": True, "TranslateEnabled": False, "PasswordManagerEnabled": False, "AutofillAddressEnabled": False,
        "AutofillCreditCardEnabled": False, "PrintingEnabled": False, "DownloadRestrictions": 3, "ExtensionInstallBlocklist": ["*"],
        "MetricsReportingEnabled": False, "SpellcheckEnabled": False, "SearchSuggestEnabled": False, "BackgroundModeEnabled": False,
        "DefaultNotificationsSetting": 2, "DefaultPopupsSetting": 2, "DefaultGeolocationSetting": 2,
        "AllowDinosaurEasterEgg": False, "FullscreenAllowed": True, "HideWebStoreIcon": True, "PromotionalTabsEnabled": False,
    }, indent=2) + "\n"


_UNIT = """\
[Unit]
Description=Command Center: this screen
Wants=time-sync.target
After=systemd-user-sessions.service network.target time-sync.target getty@tty1.service
Conflicts=getty@tty1.service
# It starts again for ever.
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=all
User=wall
PAMName=login
TTYPath=/dev/tty1
TTYReset=yes
TTYVHangup=yes
StandardInput=tty
StandardOutput=journal
StandardError=journal
UtmpIdentifier=tty1
UtmpMode=user
Environment=HOME={home} LANG=id_ID.UTF-8 TZ=Asia/Makassar
WorkingDirectory={home}
ExecStart=/usr/bin/xinit /usr/bin/python3 {script} {address} -- /usr/bin/X :0 vt1 -keeptty -nolisten tcp -nocursor -s 0 -dpms
Restart=always
RestartSec=2
TimeoutStartSec=60
TimeoutStopSec=10
# The script tells every 5 s that the page answers.
WatchdogSec=40
# A browser that grows past this is started anew before the whole PC swaps.
MemoryMax=80%

[Install]
WantedBy=multi-user.target
"""
_SCREEN = """\
Section "ServerFlags"
    Option "BlankTime"   "0"
    Option "StandbyTime" "0"
    Option "SuspendTime" "0"
    Option "OffTime"     "0"
    Option "DontVTSwitch" "true"
    Option "DontZap"     "true"
EndSection
Section "Extensions"
    Option "DPMS" "Disable"
EndSection
"""
_LOGIND = """\
[Login]
NAutoVTs=0
ReserveVT=0
IdleAction=ignore
HandleLidSwitch=ignore
HandleLidSwitchExternalPower=ignore
HandlePowerKey=ignore
HandleSuspendKey=ignore
HandleHibernateKey=ignore
"""
_SLEEP = """\
[Sleep]
AllowSuspend=no
AllowHibernation=no
AllowSuspendThenHibernate=no
AllowHybridSleep=no
"""
