"""Plays the same spoken conversations to cascaded and end-to-end systems, and measures both."""
