"""Exporters: corpora and recordings, in the formats of other tools."""
