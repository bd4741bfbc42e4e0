"""Makes a wheel of /out/image, where another was unpacked and its programs were stripped: the same whenever it is made."""

import base64
import csv
import hashlib
import io
import os
import zipfile

ROOT = "/out/image"


def files():
    for place, below, names in os.walk(ROOT):
        below.sort()
        yield from (os.path.relpath(os.path.join(place, name), ROOT) for name in sorted(names))


def member(name):
    mode = 0o755 if os.stat(os.path.join(ROOT, name)).st_mode & 0o111 else 0o644
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.external_attr = (0o100000 | mode) << 16
    return info


def main():
    all_files = list(files())
    record = next(name for name in all_files if name.endswith(".dist-info/RECORD") and name.count("/") == 1)
    rows = io.StringIO()
    lines = csv.writer(rows, lineterminator="\n")
    os.makedirs("/out/wheel")
    with open("/tmp/wheel-name", encoding="utf-8") as file:
        target = os.path.join("/out/wheel", file.read())
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name in all_files:
            if name in (record, f"{record}.jws", f"{record}.p7s"):
                continue  # signatures were of the other
            with open(os.path.join(ROOT, name), "rb") as file:
                content = file.read()
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            lines.writerow((name, f"sha256={digest}", len(content)))
            wheel.writestr(member(name), content, zipfile.ZIP_DEFLATED)
        lines.writerow((record, "", ""))
        wheel.writestr(member(record), rows.getvalue(), zipfile.ZIP_DEFLATED)


main()
