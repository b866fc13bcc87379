"""Recipes: how the bundled corpora were made, from the text plan to the sound files."""
