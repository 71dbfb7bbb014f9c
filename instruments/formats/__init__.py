"""The files of the field, read into measurements."""

from instruments.formats.reading import READERS, read_measurement

__all__ = ["READERS", "read_measurement"]
