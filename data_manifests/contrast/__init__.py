"""The corpus `contrast`: the same words in the same voice, in several styles."""
