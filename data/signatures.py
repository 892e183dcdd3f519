"""How files begin, whatever they are called: the first bytes by which every reader here tells forms apart.

What a reader says of a form that is not its own, and what to do about it, stands with the reader.
"""

from __future__ import annotations

TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""Little or big end first, classic or big."""
VRT, NETCDF, HDF, GRIB, IMAGINE = b"<VRTDataset", b"CDF", b"\x89HDF", b"GRIB", b"EHFA_HEADER_TAG"
PNG, JPEG, PDF = b"\x89PNG", b"\xff\xd8\xff", b"%PDF"
SQLITE, SHAPEFILE, FLATGEOBUF, PARQUET = b"SQLite format 3\0", b"\0\0\x27\x0a", b"fgb\x03", b"PAR1"
OLD_EXCEL, DWG, O5M = b"\xd0\xcf\x11\xe0", b"AC10", b"\xff\xe0\x04o5"
ZIP, GZIP, BZIP2, XZ, ZSTD = b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"
SEVEN_ZIP, RAR = b"7z\xbc\xaf\x27\x1c", b"Rar!"
