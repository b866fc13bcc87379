"""Text to speech: the last stage of a cascade."""
