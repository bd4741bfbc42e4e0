import json
import ssl
import sqlite3
from http.server import BaseHTTPRequestHandler, HTTPServer


class Health(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"status": "ok", "ssl": ssl.OPENSSL_VERSION, "sqlite": sqlite3.sqlite_version}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)


HTTPServer(("0.0.0.0", 8000), Health).serve_forever()
