"""Text to text: the second stage of a cascade."""
