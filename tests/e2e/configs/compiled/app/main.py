import ssl
import sqlite3

from fastapi import FastAPI

app = FastAPI()


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok", "ssl": ssl.OPENSSL_VERSION, "sqlite": sqlite3.sqlite_version}
