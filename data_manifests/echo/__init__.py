"""The corpus `echo`: sentences to be said again in the same way."""
