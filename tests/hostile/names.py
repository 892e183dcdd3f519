"""Things that are no files, files of another kind, and names made to mislead."""

from __future__ import annotations

import os
from pathlib import Path

from tests.hostile import seeds
from tests.hostile.maker import case, hostile

OTHERS = {
    "pdf.geojson": b"%PDF-1.7\n",
    "png.geojson": b"\x89PNG\r\n\x1a\n",
    "jpeg.gpkg": b"\xff\xd8\xff\xe0",
    "elf.shp": b"\x7fELF\x02\x01",
    "page.csv": b"<html><script>alert(1)</script></html>",
    "exe.xlsx": b"MZ\x90\0",
    "old.xlsx": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "rar.zip": b"Rar!\x1a\x07",
    "gz.csv": b"\x1f\x8b\x08\0",
    "kml.geojson": b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a SYSTEM '../secret.txt'>]><kml><name>&a;</name></kml>",
    "script.csv": b"#!/bin/sh",
}
"""Files of another kind than their name says, by what they begin with."""
for _name, _start in OTHERS.items():
    case(_name, "reader: another kind of file", "unreadable", lambda start=_start: start + bytes(300))
case("nothing.csv", "reader: no content", "unreadable", bytes)
for _name, _after in {
    "new\nline.csv": "terminal: a name of two lines",
    "\u202evsc.exe.csv": "terminal: a name that reads backwards",
    "\x1b[2J\x1b]0;owned\x07.csv": "terminal: a name of escapes",
    "$(touch owned).csv": "shell: a name that is a command",
    "-rf.csv": "shell: a name that is an option",
    "a;b&c|d`e`.csv": "shell: a name of signs",
    "x" * 251 + ".csv": "files: a name of 255 bytes",
    "%s%n{0}{{7*7}}.csv": "format: a name of placeholders",
}.items():
    case(_name, _after, "accepted", seeds.csv_utf8)
case("\x1b[2J\x07broken.geojson", "terminal: escapes in the name of a refused file", "unreadable", lambda: b"{")
hostile("folder.csv", "reader: a folder", "unreadable")(Path.mkdir)
hostile("pipe.csv", "time: a pipe in which nothing comes", "unreadable")(os.mkfifo)
hostile("pipe.tif", "time: a pipe for a raster", "file-missing", given="hazard")(os.mkfifo)
hostile("pipe.osm", "time: a pipe for a map", "unreadable", given="osm")(os.mkfifo)
hostile("zero.csv", "memory: a device without end", "unreadable")(lambda path: path.symlink_to("/dev/zero"))
hostile("random.osm", "memory: a device of noise", "unreadable", given="osm")(
    lambda path: path.symlink_to("/dev/urandom")
)
hostile("memory.tif", "memory: a process's memory", "unreadable", given="hazard")(
    lambda path: path.symlink_to("/proc/self/mem")
)
hostile("loop.csv", "time: a link to itself", "file-missing")(lambda path: path.symlink_to(path.name))
hostile("dangling.csv", "files: a link to nothing", "file-missing")(lambda path: path.symlink_to("nowhere"))
