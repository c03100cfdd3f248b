"""Running it for real: the printed files, the certificate, a wall PC, nginx, a power cut, an upgrade."""
