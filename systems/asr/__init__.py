"""Speech to text: the first stage of a cascade."""
