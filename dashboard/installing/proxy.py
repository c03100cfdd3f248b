"""nginx in front of ``serve --behind-proxy``: TLS and HTTP/2 outside, one loopback connection per stream inside."""

from __future__ import annotations

from dashboard.installing.place import File, Place

IDLE_SECONDS = 60
"""After so long without a byte a proxy ends a connection; the stream's heartbeat of 2 s never lets that happen."""


def nginx(place: Place) -> list[File]:
    """The site's configuration, for Debian's nginx 1.22 and later."""
    return [File("/etc/nginx/sites-available/command-center", _SITE.format(
        server=place.server, port=place.port, tls=place.tls, idle=IDLE_SECONDS,
    ))]


_SITE = """\
# ln -s ../sites-available/command-center /etc/nginx/sites-enabled/ && nginx -t && systemctl reload nginx
upstream command_center {{
    server 127.0.0.1:{port} max_fails=0;    # one server: it is never "down for 10 s" after a restart
    keepalive 32;
}}

server {{
    listen 80;
    listen [::]:80;
    server_name {server};
    return 308 https://$host$request_uri;
}}

server {{
    listen 443 ssl http2;
    listen [::]:443 ssl http2;
    server_name {server};
    ssl_certificate     {tls}/server.pem;
    ssl_certificate_key {tls}/server.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    add_header Strict-Transport-Security "max-age=31536000" always;
    server_tokens off;
    client_max_body_size 1m;

    proxy_pass_request_headers on;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $http_host;                  # POSTs are compared with it
    proxy_set_header X-Forwarded-For $remote_addr;     # replaces what a client claims
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_connect_timeout 5s;
    proxy_read_timeout {idle}s;
    proxy_send_timeout {idle}s;
    send_timeout {idle}s;
    proxy_next_upstream off;                           # a 502 says at once that serve restarts

    location / {{
        proxy_pass http://command_center;
    }}

    location ~ ^/[a-z]+/live$ {{                         # the stream: each event at once, unpacked, never kept
        proxy_pass http://command_center;
        proxy_buffering off;
        proxy_cache off;
        gzip off;
    }}
}}
"""
