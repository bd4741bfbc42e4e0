"""Builds the wheel of the source distribution in the working directory, by its own backend (PEP 517), and unpacks it to
/out/image. Its name is left in /tmp/wheel-name."""

import importlib
import importlib.metadata
import os
import re
import sys
import tomllib
import zipfile


def backend():
    try:
        with open("pyproject.toml", "rb") as file:
            system = tomllib.load(file).get("build-system", {})
    except FileNotFoundError:
        system = {}
    # A backend may be a part of the project itself.
    sys.path[:0] = [os.path.abspath(path) for path in system.get("backend-path", [])]
    module, _, attributes = system.get("build-backend", "setuptools.build_meta:__legacy__").partition(":")
    found = importlib.import_module(module)
    for attribute in filter(None, attributes.split(".")):
        found = getattr(found, attribute)
    return found


def check(requirements):
    """What a backend asks for only now was not locked, and can only be there if something else brought it."""
    for requirement in requirements:
        name = re.match(r"[A-Za-z0-9._-]*", requirement.strip()).group()
        try:
            importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            sys.exit(f"the build asks for {requirement!r} besides what pyproject.toml lists under build-system.requires")


def main():
    found = backend()
    if hasattr(found, "get_requires_for_build_wheel"):
        check(found.get_requires_for_build_wheel())
    os.makedirs("/tmp/wheel")
    name = found.build_wheel("/tmp/wheel")
    with zipfile.ZipFile(os.path.join("/tmp/wheel", name)) as wheel:
        for member in wheel.infolist():
            path = wheel.extract(member, "/out/image")
            if not member.is_dir() and member.external_attr >> 16 & 0o111:
                os.chmod(path, 0o755)
    with open("/tmp/wheel-name", "w", encoding="utf-8") as file:
        file.write(name)


main()
