import pathlib, subprocess

import psycopg2


def test_what_was_made():
    assert pathlib.Path("made.txt").read_text() == "hello 0.6.2 /srv/app\n"
    assert psycopg2.apilevel == "2.0"
    assert subprocess.run(["./sum"], check=True).returncode == 0
