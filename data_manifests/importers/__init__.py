"""Importers: public datasets, in the layout in which they are published, as corpora."""
