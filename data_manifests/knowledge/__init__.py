"""The corpus `knowledge`: short spoken questions with checkable answers."""
