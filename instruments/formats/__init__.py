"""The files of the field, read into measurements."""
