"""Running it for real: systemd units, a wall PC, nginx, a certificate for the LAN, the size of the disk. Prints, never installs."""
